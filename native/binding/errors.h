// The one place where an Error becomes a JavaScript Error.
#pragma once

#include <node_api.h>

#include "sys/result.h"

namespace spliceway {

// Throws an Error with `errno` (negative, as Node's are) and `syscall`; lib/errors.ts adds the
// rest. Returns null, so that a binding function can end with `return ThrowError(…)`.
napi_value ThrowError(napi_env env, const Error& error);

}  // namespace spliceway
