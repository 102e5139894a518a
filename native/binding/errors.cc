#include "binding/errors.h"

#include <cstring>

namespace spliceway {

napi_value ThrowError(napi_env env, const Error& error) {
  Napi::Error out = Napi::Error::New(env, std::strerror(error.number));
  out.Set("errno", Napi::Number::New(env, -error.number));
  out.Set("syscall", Napi::String::New(env, error.syscall));
  out.ThrowAsJavaScriptException();
  return nullptr;
}

}  // namespace spliceway
