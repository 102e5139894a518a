#include "binding/errors.h"

#include <cstring>

namespace spliceway {

// Through Node-API itself: while a worker is being terminated any call may be refused. Here that
// comes to nothing; node-addon-api's Error would take it for fatal and end the process.
napi_value ThrowError(napi_env env, const Error& error) {
  napi_value message = nullptr;
  napi_value number = nullptr;
  napi_value syscall = nullptr;
  napi_value out = nullptr;
  napi_create_string_utf8(env, std::strerror(error.number), NAPI_AUTO_LENGTH, &message);
  napi_create_int32(env, -error.number, &number);
  napi_create_string_utf8(env, error.syscall, NAPI_AUTO_LENGTH, &syscall);
  napi_create_error(env, nullptr, message, &out);
  napi_set_named_property(env, out, "errno", number);
  napi_set_named_property(env, out, "syscall", syscall);
  napi_throw(env, out);
  return nullptr;
}

}  // namespace spliceway
