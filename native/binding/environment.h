// What one JavaScript environment (the main thread, or a worker) owns. Reached from callback data,
// never from a global: any number of environments may load the addon.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "binding/loop_visit.h"
#include "binding/splice.h"
#include "binding/uv_host.h"
#include "binding/uv_loop_gauge.h"
#include "core/reactor.h"
#include "relay/transfer_pool.h"
#include "session/session_pool.h"

namespace spliceway {

class Environment final : public UvHost::Guest {
 public:
  // Null with an exception pending where the kernel refuses (too many descriptors, say).
  static std::unique_ptr<Environment> Create(napi_env env);

  Reactor& reactor() { return *reactor_; }
  TransferPool& transfers() { return *transfers_; }
  // The first time the loop begins to be gauged.
  SessionPool& sessions();

  SplicePool& splices() { return splices_; }

  // The dispatch function, and the two buffers that JavaScript and this environment share. Both are
  // made by lib/binding.ts, are never handed to anyone else and so can neither move nor be
  // detached.
  void Setup(napi_value dispatch, napi_value records, napi_value scratch);
  // Where small reads and writes pass through.
  uint8_t* scratch() { return scratch_; }
  size_t scratch_size() const { return scratch_size_; }

  // Memory in which the addresses and sizes of datagrams pass through: binding/packet.cc.
  void SetupPackets(napi_value slots);
  std::span<int32_t> packet_slots() { return packet_slots_; }

  // The callbacks for two phases of the loop, and a visit to the next of each:
  // binding/loop_visit.h.
  void SetupPhases(napi_value on_pending, napi_value on_closing);
  void VisitPendingPhase() { Visit(LoopVisit::Phase::kPending, &pending_visit_); }
  void VisitClosingPhase() { Visit(LoopVisit::Phase::kClosing, &closing_visit_); }
  void OnPendingPhase() { Visited(&pending_visit_, on_pending_phase_); }
  void OnClosingPhase() { Visited(&closing_visit_, on_closing_phase_); }

  // After every call from JavaScript: the process lives exactly while something awaits.
  void SyncRef() { host_->SyncRef(reactor_->alive() > 0); }

  // UvHost::Guest. Turns the reactor and hands the notices over, once for each turn.
  void OnReady() override;

 private:
  explicit Environment(napi_env env) : env_(env) {}
  void Close();

  bool Dispatch(size_t count);
  void Visit(LoopVisit::Phase phase, LoopVisit** visit);
  void Visited(LoopVisit** visit, const Napi::FunctionReference& callback);
  bool Call(const Napi::FunctionReference& function, size_t count, const napi_value* arguments);
  static void CleanUp(napi_async_cleanup_hook_handle handle, void* data);

  napi_env env_;
  std::unique_ptr<Reactor> reactor_;
  std::unique_ptr<TransferPool> transfers_;
  UvLoopGauge gauge_;
  std::unique_ptr<SessionPool> sessions_;
  SplicePool splices_;
  std::unique_ptr<UvHost> host_;
  Napi::FunctionReference dispatch_;
  Napi::FunctionReference on_pending_phase_;
  Napi::FunctionReference on_closing_phase_;
  LoopVisit* pending_visit_ = nullptr;  // both are the loop's
  LoopVisit* closing_visit_ = nullptr;
  Napi::Reference<Napi::Int32Array> records_;
  Napi::Reference<Napi::Uint8Array> scratch_ref_;
  Napi::Reference<Napi::Int32Array> packet_slots_ref_;
  std::unique_ptr<Napi::AsyncContext> context_;
  int32_t* record_pairs_ = nullptr;
  size_t record_capacity_ = 0;
  uint8_t* scratch_ = nullptr;
  size_t scratch_size_ = 0;
  std::span<int32_t> packet_slots_;
  bool closing_ = false;
};

}  // namespace spliceway
