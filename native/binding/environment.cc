#include "binding/environment.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "binding/errors.h"

namespace spliceway {
namespace {

// Turns in a row before Node's other events get their chance: with 256 events a turn, this bounds
// one visit to some milliseconds of work.
constexpr int kTurnsAVisit = 8;

// Asked of JavaScript rather than of getenv(3): a worker may have variables of its own, and another
// thread may be setting one. Empty when there is none, or when a worker is terminated meanwhile.
std::string Variable(napi_env env, const char* name) {
  napi_value value = nullptr;
  if (napi_get_global(env, &value) != napi_ok) return "";
  for (const char* key : {"process", "env", name}) {
    if (napi_get_named_property(env, value, key, &value) != napi_ok) return "";
  }
  char text[16];  // a longer value is cut off, and means nothing anyway
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, text, sizeof(text), &length) != napi_ok) return "";
  return std::string(text, length);
}

// How many I/O threads connections may have; one, where the variable says nothing sensible.
size_t ThreadCount(const std::string& text) {
  constexpr size_t kAtMost = 64;
  size_t count = 1;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return std::clamp<size_t>(count, 1, kAtMost);
}

}  // namespace

std::unique_ptr<Environment> Environment::Create(napi_env env) {
  std::unique_ptr<Environment> self(new Environment(env));
  auto reactor = Reactor::Create();
  if (!reactor.ok()) {
    ThrowError(env, reactor.error());
    return nullptr;
  }
  self->reactor_ = std::move(reactor.value());
  self->reactor_->Leave();
  const size_t threads = ThreadCount(Variable(env, "SPLICEWAY_IO_THREADS"));
  self->transfers_ = std::make_unique<TransferPool>(self->reactor_.get(), threads);
  self->sessions_ = std::make_unique<SessionPool>(self->reactor_.get(), &self->gauge_, threads);

  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  self->host_ = UvHost::Create(Variable(env, "SPLICEWAY_SEAT"));
  if (const Status s = self->host_->Open(loop, self->reactor_.get(), self.get()); !s.ok()) {
    ThrowError(env, s.error());
    return nullptr;
  }
  // libuv closes handles asynchronously, and the loop must outlive that: an ordinary hook would
  // not.
  napi_add_async_cleanup_hook(env, CleanUp, self.get(), nullptr);
  return self;
}

SessionPool& Environment::sessions() {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env_, &loop);
  gauge_.Start(loop);
  return *sessions_;
}

void Environment::Setup(napi_value dispatch, napi_value records, napi_value scratch) {
  dispatch_ = Napi::Persistent(Napi::Function(env_, dispatch));
  Napi::Int32Array pairs(env_, records);
  records_ = Napi::Reference<Napi::Int32Array>::New(pairs, 1);
  record_pairs_ = pairs.Data();
  record_capacity_ = pairs.ElementLength() / 2;
  Napi::Uint8Array bytes(env_, scratch);
  scratch_ref_ = Napi::Reference<Napi::Uint8Array>::New(bytes, 1);
  scratch_ = bytes.Data();
  scratch_size_ = bytes.ByteLength();
  context_ = std::make_unique<Napi::AsyncContext>(env_, "SPLICEWAY");
}

void Environment::SetupPackets(napi_value slots) {
  Napi::Int32Array words(env_, slots);
  packet_slots_ref_ = Napi::Reference<Napi::Int32Array>::New(words, 1);
  packet_slots_ = {words.Data(), words.ElementLength()};
}

void Environment::OnReady() {
  if (record_pairs_ == nullptr) return;
  reactor_->Enter();
  bool going = true;
  for (int i = 0; i < kTurnsAVisit && going; ++i) {
    reactor_->Harvest(0);
    // Not before: a push in between would have its wake-up taken, and stay.
    transfers_->Deliver();
    sessions_->Deliver();
    Records records{record_pairs_, record_capacity_, 0};
    reactor_->Deliver(&records);
    going = (records.count == 0 || Dispatch(records.count)) && reactor_->has_work();
  }
  reactor_->Leave();
  SyncRef();
}

bool Environment::Dispatch(size_t count) {
  if (closing_) return false;
  const Napi::HandleScope scope(env_);
  napi_value argument = nullptr;
  if (napi_create_uint32(env_, static_cast<uint32_t>(count), &argument) != napi_ok) return false;
  return Call(dispatch_, 1, &argument);
}

// False when JavaScript can no longer run: between a worker's terminate and its cleanup hook any
// Node-API call may refuse. The turn is dropped then; the hook closes what is open.
bool Environment::Call(const Napi::FunctionReference& callback, size_t count,
                       const napi_value* arguments) {
  napi_value function = callback.Value();
  napi_value global = nullptr;
  if (function == nullptr || napi_get_global(env_, &global) != napi_ok) return false;
  const napi_status status =
      napi_make_callback(env_, *context_, global, function, count, arguments, nullptr);
  if (status == napi_ok) return true;
  if (status != napi_pending_exception) return false;
  // lib/ catches what handlers throw, so this is an error of ours, or termination.
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) {
    napi_fatal_exception(env_, exception);
  }
  return !closing_;
}

void Environment::SetupPhases(napi_value on_pending, napi_value on_closing) {
  on_pending_phase_ = Napi::Persistent(Napi::Function(env_, on_pending));
  on_closing_phase_ = Napi::Persistent(Napi::Function(env_, on_closing));
}

void Environment::Visit(LoopVisit::Phase phase, LoopVisit** visit) {
  if (*visit != nullptr || closing_) return;
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env_, &loop);
  *visit = LoopVisit::Schedule(loop, this, phase);
}

void Environment::Visited(LoopVisit** visit, const Napi::FunctionReference& callback) {
  *visit = nullptr;
  const Napi::HandleScope scope(env_);
  Call(callback, 0, nullptr);
}

void Environment::CleanUp(napi_async_cleanup_hook_handle handle, void* data) {
  auto* self = static_cast<Environment*>(data);
  self->closing_ = true;
  if (self->pending_visit_ != nullptr) self->pending_visit_->CallOff();
  if (self->closing_visit_ != nullptr) self->closing_visit_->CallOff();
  self->gauge_.Stop();
  self->host_->Close([self, handle] {
    self->Close();
    napi_remove_async_cleanup_hook(handle);
  });
}

// After libuv has let go of the poller's descriptor. The threads end before what they borrow from
// handles, and handles before the pools that they count in.
void Environment::Close() {
  transfers_->StopAll();
  sessions_->StopAll();
  reactor_.reset();
  transfers_.reset();
  sessions_.reset();
}

}  // namespace spliceway
