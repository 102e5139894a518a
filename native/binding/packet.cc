// Datagrams. What is small and of fixed size, addresses above all, passes through slots of 32-bit
// words that both sides share; payloads pass through memory that is looked up in the call that uses
// it, as everywhere. lib/packet/slots.ts has the same layout.
#include "core/packet.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "binding/args.h"
#include "binding/errors.h"
#include "binding/functions.h"
#include "core/socket.h"
#include "sys/datagram.h"
#include "sys/sockaddr.h"

namespace spliceway {
namespace {

using sys::Datagram;

// The words of a slot.
enum Word {
  kLength = 0,     // of the payload
  kSegment = 1,    // received in a batch: see sys::Datagram
  kOffset = 1,     // to send: where the payload begins; received: the kernel's flags
  kTruncated = 2,  // received: its end found no room
  kControl = 3,    // how many bytes of ancillary data
  kFamily = 4,     // 4, 6, 1 for Unix, 0 for no address
  kPort = 5,       // of a Unix address: the bytes of its path
  kScope = 6,
  kHost = 7,  // four words of an IP address, of which IPv4 uses the first; or the path
  kSlotWords = 36,
};
constexpr size_t kPathRoom = (kSlotWords - kHost) * sizeof(int32_t);

int32_t* Slot(Environment& environment, size_t i) {
  return environment.packet_slots().data() + i * kSlotWords;
}

void StoreAddress(const SockAddr& addr, int32_t* slot) {
  slot[kFamily] = 0;
  if (addr.size() == 0) return;
  if (addr.is_ip()) {
    const auto bytes = addr.HostBytes();
    slot[kFamily] = bytes.size() == 4 ? 4 : 6;
    slot[kPort] = addr.Port();
    slot[kScope] = static_cast<int32_t>(addr.Scope());
    std::memcpy(slot + kHost, bytes.data(), bytes.size());
  } else if (const std::string path = addr.Path(); !path.empty()) {
    slot[kFamily] = 1;
    slot[kPort] = static_cast<int32_t>(std::min(path.size(), kPathRoom));
    std::memcpy(slot + kHost, path.data(), static_cast<size_t>(slot[kPort]));
  }
}

// lib/packet has made sure that it suits the socket; family 6 with an IPv4 address is a mapped one.
std::optional<SockAddr> LoadAddress(const int32_t* slot) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(slot + kHost);
  if (slot[kFamily] == 1) {
    const auto length = std::min(static_cast<size_t>(slot[kPort]), kPathRoom);
    return SockAddr::Unix({reinterpret_cast<const char*>(bytes), length});
  }
  return SockAddr::FromHost({bytes, slot[kFamily] == 4 ? size_t{4} : size_t{16}},
                            static_cast<uint16_t>(slot[kPort]),
                            static_cast<uint32_t>(slot[kScope]));
}

// After kAgain a notice follows; handler style awaits each time already.
int64_t Awaiting(Environment& environment, PacketSocket* socket, Side side, int64_t result) {
  if (result == kAgain && !socket->awaited(side)) {
    socket->SetAwait(side, Await::kOnce);
    environment.SyncRef();
  }
  return result;
}

// setupPackets(slots)
napi_value SetupPackets(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  args.environment().SetupPackets(args[0]);
  return nullptr;
}

// hostWords(host): its family, 4 or 6, and its words in the first slot; 0 when it is not numeric
napi_value HostWords(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  const auto addr = SockAddr::Ip(args.Text(0).c_str(), 0, 0);
  int32_t* slot = Slot(args.environment(), 0);
  slot[kFamily] = 0;
  if (addr) StoreAddress(*addr, slot);
  return Number(env, int64_t{slot[kFamily]});
}

template <size_t N>
int64_t ReceiveOnce(const Args<N>& args, std::span<uint8_t> into) {
  auto* socket = args.template Handle<PacketSocket>(0);
  if (socket == nullptr) return kClosed;
  SockAddr from;
  const int64_t got = socket->Receive(into.data(), into.size(), &from, args.When(1));
  if (got >= 0) StoreAddress(from, Slot(args.environment(), 0));
  return Awaiting(args.environment(), socket, Side::kRead, got);
}

// receive(id, resumed): one datagram into the scratch buffer; its sender in the first slot
napi_value Receive(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto& environment = args.environment();
  return Number(env, ReceiveOnce(args, {environment.scratch(), environment.scratch_size()}));
}

// receiveInto(id, resumed, p)
napi_value ReceiveInto(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  return Number(env, ReceiveOnce(args, args.Bytes(2)));
}

// receiveMessage(id, resumed, p, control): the same with flags and ancillary data
napi_value ReceiveMessage(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* socket = args.Handle<PacketSocket>(0);
  if (socket == nullptr) return Number(env, int64_t{kClosed});
  const auto bytes = args.Bytes(2);
  iovec slice{bytes.data(), bytes.size()};
  Datagram datagram;
  datagram.slices = {&slice, 1};
  datagram.control = args.Bytes(3);
  const int64_t got = socket->Receive(&datagram, args.When(1));
  if (got >= 0) {
    int32_t* slot = Slot(args.environment(), 0);
    slot[kOffset] = datagram.flags;
    slot[kTruncated] = datagram.truncated;
    slot[kControl] = static_cast<int32_t>(datagram.control.size());
    StoreAddress(datagram.addr, slot);
  }
  return Number(env, Awaiting(args.environment(), socket, Side::kRead, got));
}

// receiveBatch(id, resumed, p, stride, max): how many datagrams; the first begins at the start of
// p, each later one `stride` bytes behind the one before, and each has a slot
napi_value ReceiveBatch(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  auto* socket = args.Handle<PacketSocket>(0);
  if (socket == nullptr) return Number(env, int64_t{kClosed});
  const auto bytes = args.Bytes(2);
  const auto stride = static_cast<size_t>(std::max(args.Int(3), 1));
  const size_t max = std::min(
      {static_cast<size_t>(std::max(args.Int(4), 1)), sys::kMaxDatagrams, bytes.size() / stride});
  iovec slices[sys::kMaxDatagrams];
  Datagram datagrams[sys::kMaxDatagrams];
  for (size_t i = 0; i < max; ++i) {
    slices[i] = {bytes.data() + i * stride, stride};
    datagrams[i].slices = {&slices[i], 1};
  }
  const int64_t got = socket->ReceiveBatch({datagrams, max}, args.When(1));
  for (size_t i = 0; got > 0 && i < static_cast<size_t>(got); ++i) {
    int32_t* slot = Slot(args.environment(), i);
    slot[kLength] = static_cast<int32_t>(datagrams[i].size);
    slot[kSegment] = datagrams[i].segment;
    slot[kTruncated] = datagrams[i].truncated;
    StoreAddress(datagrams[i].addr, slot);
  }
  return Number(env, Awaiting(args.environment(), socket, Side::kRead, got));
}

// setCoalescing(id, on)
napi_value SetCoalescing(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  if (auto* socket = args.Handle<PacketSocket>(0)) socket->SetCoalescing(args.Bool(1));
  return nullptr;
}

// To the address in the first slot, or to the peer where that has no family.
template <size_t N>
int64_t SendOnce(const Args<N>& args, std::span<const uint8_t> bytes) {
  auto* socket = args.template Handle<PacketSocket>(0);
  if (socket == nullptr) return kClosed;
  const int32_t* slot = Slot(args.environment(), 0);
  if (slot[kFamily] == 0) return socket->Send(bytes.data(), bytes.size(), nullptr, args.When(1));
  const auto to = LoadAddress(slot);
  if (!to) return -EINVAL;
  return socket->Send(bytes.data(), bytes.size(), &*to, args.When(1));
}

// send(id, resumed, p)
napi_value Send(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  return Number(env, SendOnce(args, args.Bytes(2)));
}

// sendScratch(id, resumed, length): what lib/ put into the scratch buffer
napi_value SendScratch(napi_env env, napi_callback_info info) {
  const Args<3> args(env, info);
  const size_t length = std::min<size_t>(args.Int(2), args.environment().scratch_size());
  return Number(env, SendOnce(args, {args.environment().scratch(), length}));
}

// sendMessage(id, resumed, p, control)
napi_value SendMessage(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* socket = args.Handle<PacketSocket>(0);
  if (socket == nullptr) return Number(env, int64_t{kClosed});
  const int32_t* slot = Slot(args.environment(), 0);
  const auto bytes = args.Bytes(2);
  iovec slice{bytes.data(), bytes.size()};
  Datagram datagram;
  datagram.slices = {&slice, 1};
  datagram.control = args.Bytes(3);
  if (slot[kFamily] != 0) {
    const auto to = LoadAddress(slot);
    if (!to) return Number(env, int64_t{-EINVAL});
    datagram.addr = *to;
  }
  return Number(env, socket->Send(datagram, args.When(1)));
}

// sendBatch(id, resumed, p, count): one datagram for each slot, at its offset in p: how many the
// kernel took
napi_value SendBatch(napi_env env, napi_callback_info info) {
  const Args<4> args(env, info);
  auto* socket = args.Handle<PacketSocket>(0);
  if (socket == nullptr) return Number(env, int64_t{kClosed});
  const auto bytes = args.Bytes(2);
  const size_t count = std::min(static_cast<size_t>(std::max(args.Int(3), 0)), sys::kMaxDatagrams);
  iovec slices[sys::kMaxDatagrams];
  Datagram datagrams[sys::kMaxDatagrams];
  for (size_t i = 0; i < count; ++i) {
    const int32_t* slot = Slot(args.environment(), i);
    const auto payload = bytes.subspan(std::min(static_cast<size_t>(slot[kOffset]), bytes.size()));
    slices[i] = {payload.data(), std::min(static_cast<size_t>(slot[kLength]), payload.size())};
    datagrams[i].slices = {&slices[i], 1};
    if (slot[kFamily] == 0) continue;
    const auto to = LoadAddress(slot);
    if (!to) return Number(env, int64_t{-EINVAL});
    datagrams[i].addr = *to;
  }
  return Number(env, socket->SendBatch({datagrams, count}, args.When(1)));
}

// shutdownPackets(id, how): 0 read, 1 write, 2 both; 0 or a negative errno
napi_value ShutdownPackets(napi_env env, napi_callback_info info) {
  const Args<2> args(env, info);
  auto* socket = args.Handle<PacketSocket>(0);
  if (socket == nullptr) return Number(env, int64_t{kClosed});
  const Status status = socket->Shutdown(static_cast<sys::ShutdownHow>(args.Int(1)));
  return Number(env, int64_t{-status.error().number});
}

// packetSocket(id): its id in place of the socket's, which was bound, connected, or neither
napi_value MakePacketSocket(napi_env env, napi_callback_info info) {
  const Args<1> args(env, info);
  auto* socket = args.Handle<Socket>(0);
  if (socket == nullptr) return ThrowError(env, Error{"socket", EBADF});
  Reactor& reactor = args.reactor();
  auto* packets = reactor.Adopt(std::make_unique<PacketSocket>(&reactor, OwnFd()));
  if (packets == nullptr) return ThrowError(env, Error{"socket", ENFILE});
  const Status started = packets->StartWith(socket);
  reactor.Close(socket);
  if (started.ok()) return Number(env, int64_t{packets->id()});
  reactor.Close(packets);
  return ThrowError(env, started.error());
}

// connectPackets(id, family, host, port, scope)
napi_value ConnectPackets(napi_env env, napi_callback_info info) {
  const Args<5> args(env, info);
  const std::string host = args.Text(2);
  const auto addr = args.Int(1) == 1
                        ? SockAddr::Unix(host)
                        : SockAddr::Ip(host.c_str(), static_cast<uint16_t>(args.Int(3)),
                                       static_cast<uint32_t>(args.Number(4)));
  const auto* socket = args.Handle<Socket>(0);
  if (!addr || socket == nullptr) return ThrowError(env, Error{"connect", EINVAL});
  const Status connected = sys::Connect(socket->fd(), *addr);
  return connected.ok() ? nullptr : ThrowError(env, connected.error());
}

}  // namespace

std::span<const Function> PacketFunctions() {
  static constexpr Function kFunctions[] = {
      {"setupPackets", SetupPackets},
      {"hostWords", HostWords},
      {"receive", Receive},
      {"receiveInto", ReceiveInto},
      {"receiveMessage", ReceiveMessage},
      {"receiveBatch", ReceiveBatch},
      {"setCoalescing", SetCoalescing},
      {"send", Send},
      {"sendScratch", SendScratch},
      {"sendMessage", SendMessage},
      {"sendBatch", SendBatch},
      {"shutdownPackets", ShutdownPackets},
      {"packetSocket", MakePacketSocket},
      {"connectPackets", ConnectPackets},
  };
  return kFunctions;
}

}  // namespace spliceway
