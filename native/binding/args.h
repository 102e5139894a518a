// The arguments of one call from JavaScript, as plain values. lib/ has checked their types; a value
// of another type reads as zero, which no call here takes for a valid handle or address.
#pragma once

#include <node_api.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "binding/environment.h"
#include "core/reactor.h"
#include "core/status.h"
#include "sys/sockaddr.h"

namespace spliceway {

template <size_t N>
class Args {
 public:
  Args(napi_env env, napi_callback_info info) : env_(env) {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values_.data(), nullptr, &data);
    environment_ = static_cast<Environment*>(data);
  }

  Environment& environment() const { return *environment_; }
  Reactor& reactor() const { return environment_->reactor(); }
  napi_value operator[](size_t i) const { return values_[i]; }

  int32_t Int(size_t i) const {
    int32_t value = 0;
    napi_get_value_int32(env_, values_[i], &value);
    return value;
  }
  uint32_t Word(size_t i) const {
    uint32_t value = 0;
    napi_get_value_uint32(env_, values_[i], &value);
    return value;
  }
  double Number(size_t i) const {
    double value = 0;
    napi_get_value_double(env_, values_[i], &value);
    return value;
  }
  bool Bool(size_t i) const {
    bool value = false;
    napi_get_value_bool(env_, values_[i], &value);
    return value;
  }
  std::string Text(size_t i) const {
    size_t length = 0;
    napi_get_value_string_utf8(env_, values_[i], nullptr, 0, &length);
    std::string text(length, '\0');
    napi_get_value_string_utf8(env_, values_[i], text.data(), length + 1, &length);
    return text;
  }
  // The memory of a Uint8Array as it is now: good until this call returns, and no longer.
  std::span<uint8_t> Bytes(size_t i) const { return ViewBytes(env_, values_[i]); }

  // The same of an Int32Array.
  std::span<int32_t> Ints(size_t i) const {
    const auto view = ViewBytes(env_, values_[i]);  // its size counts elements
    return {reinterpret_cast<int32_t*>(view.data()), view.size()};
  }

  // The same of a Float64Array.
  std::span<double> Doubles(size_t i) const {
    const auto view = ViewBytes(env_, values_[i]);
    return {reinterpret_cast<double*>(view.data()), view.size()};
  }

  static std::span<uint8_t> ViewBytes(napi_env env, napi_value value) {
    void* data = nullptr;
    size_t length = 0;
    napi_typedarray_type type = napi_uint8_array;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
      return {};
    }
    return {static_cast<uint8_t*>(data), data == nullptr ? 0 : length};
  }

  // The handle whose id stands at i, if it is one of that type and still open.
  template <typename T>
  T* Handle(size_t i) const {
    return Is<T>(reactor().Find(Int(i)));
  }

  // What Wrap() has put into the object at i.
  template <typename T>
  T* Wrapped(size_t i) const {
    void* wrapped = nullptr;
    napi_unwrap(env_, values_[i], &wrapped);
    return static_cast<T*>(wrapped);
  }

  // An address as (family, host or path, port, scope); family is 4, 6 or 1 for Unix. lib/addr.ts
  // has parsed it, so what fails here is a path that is too long.
  std::optional<SockAddr> Address(size_t first) const {
    const std::string host = Text(first + 1);
    if (Int(first) == 1) return SockAddr::Unix(host);
    return SockAddr::Ip(host.c_str(), static_cast<uint16_t>(Int(first + 2)),
                        static_cast<uint32_t>(Number(first + 3)));
  }

  Call When(size_t i) const { return Bool(i) ? Call::kResumed : Call::kNew; }

 private:
  template <typename T>
  static T* Is(Pollable* pollable) {
    return pollable != nullptr && pollable->type() == T::kType ? static_cast<T*>(pollable)
                                                               : nullptr;
  }

  napi_env env_;
  std::array<napi_value, N> values_;
  Environment* environment_ = nullptr;
};

inline napi_value Number(napi_env env, double value) {
  napi_value out = nullptr;
  napi_create_double(env, value, &out);
  return out;
}

inline napi_value Number(napi_env env, int64_t value) {
  napi_value out = nullptr;
  // Small integers stay unboxed; a count that needs more travels as a double.
  if (value >= INT32_MIN && value <= INT32_MAX) {
    napi_create_int32(env, static_cast<int32_t>(value), &out);
  } else {
    napi_create_double(env, static_cast<double>(value), &out);
  }
  return out;
}

inline napi_value Boolean(napi_env env, bool value) {
  napi_value out = nullptr;
  napi_get_boolean(env, value, &out);
  return out;
}

// An object that has it and deletes it when it is collected; Args::Wrapped gets at it. Not an
// external, of which Node keeps a part until the process ends.
template <typename T>
napi_value Wrap(napi_env env, std::unique_ptr<T> value) {
  napi_value out = nullptr;
  napi_create_object(env, &out);
  const auto free = [](napi_env, void* data, void*) {
    std::unique_ptr<T>(static_cast<T*>(data)).reset();
  };
  if (napi_wrap(env, out, value.get(), free, nullptr, nullptr) == napi_ok) {
    value.release();  // with the object from now on
  }
  return out;
}

}  // namespace spliceway
