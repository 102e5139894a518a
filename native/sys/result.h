// Errors as values: below binding/ nothing throws.
#pragma once

#include <optional>
#include <utility>

namespace spliceway {

// A failed system call: its name as Go's net package prints it, and errno.
struct Error {
  const char* syscall = "";
  int number = 0;
};

// Either a value or the Error that stands in its place.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit on purpose, as `return fd;`
  Result(Error error) : error_(error) {}         // NOLINT

  bool ok() const { return value_.has_value(); }
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  const Error& error() const { return error_; }

 private:
  std::optional<T> value_;
  Error error_;
};

// The same for calls that yield nothing.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(error) {}  // NOLINT

  bool ok() const { return error_.number == 0; }
  const Error& error() const { return error_; }

 private:
  Error error_;
};

}  // namespace spliceway
