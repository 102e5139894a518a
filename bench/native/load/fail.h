// A run whose figures would be worth nothing ends at once, with a sentence on standard error.
#pragma once

namespace bench {

[[noreturn]] void Fail(const char* format, ...) __attribute__((format(printf, 1, 2)));

// The same with errno's text after it.
[[noreturn]] void FailWithErrno(const char* what);

}  // namespace bench
