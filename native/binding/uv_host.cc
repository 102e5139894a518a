#include "binding/uv_host.h"

#include <utility>

#include "binding/uv_poll_host.h"
#include "binding/uv_thread_host.h"

namespace spliceway {
namespace {

#ifdef __linux__
constexpr bool kThreadByDefault = false;
#else
constexpr bool kThreadByDefault = true;
#endif

}  // namespace

std::unique_ptr<UvHost> UvHost::Create(std::string_view seat) {
  const bool thread = kThreadByDefault ? seat != "poll" : seat == "thread";
  if (thread) return std::make_unique<UvThreadHost>();
  return std::make_unique<UvPollHost>();
}

void UvHost::SetRef(bool on) {
  ref_ = on;
  on ? uv_ref(handle()) : uv_unref(handle());
}

void UvHost::Close(std::function<void()> done) {
  done_ = std::move(done);
  Stop();
  handle()->data = this;
  uv_close(handle(), [](uv_handle_t* handle) {
    // Called by value: what `done` destroys may include this host, and with it the function itself.
    const auto finished = std::move(static_cast<UvHost*>(handle->data)->done_);
    finished();
  });
}

}  // namespace spliceway
