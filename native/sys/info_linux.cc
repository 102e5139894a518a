#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "sys/fd.h"
#include "sys/info.h"
#include "sys/socket.h"

#if __has_include(<linux/unix_diag.h>)
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#define HAS_UNIX_DIAG 1
#endif

namespace spliceway::sys {
namespace {

constexpr int kTcpInfo = 11;

// struct tcp_info of the kernel, which only ever grows at its end. Written out here because the C
// library's own is the one of some earlier year; the running kernel says how much of it there is.
struct KernelTcpInfo {
  uint8_t state, ca_state, retransmits, probes, backoff, options, window_scales, flags;
  uint32_t rto, ato, snd_mss, rcv_mss;
  uint32_t unacked, sacked, lost, retrans, fackets;
  uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
  uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
  uint32_t rcv_rtt, rcv_space, total_retrans;
  uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
  uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
  uint64_t delivery_rate, busy_time, rwnd_limited, sndbuf_limited;
  uint32_t delivered, delivered_ce;
  uint64_t bytes_sent, bytes_retrans;
  uint32_t dsack_dups, reord_seen, rcv_ooopack, snd_wnd, rcv_wnd, rehash;
};
static_assert(offsetof(KernelTcpInfo, rto) == 8 && offsetof(KernelTcpInfo, pacing_rate) == 104 &&
              offsetof(KernelTcpInfo, delivery_rate) == 160 &&
              offsetof(KernelTcpInfo, bytes_sent) == 200 && offsetof(KernelTcpInfo, rehash) == 236);

// RFC 9293's names, by the numbers of the kernel's enum.
constexpr const char* kStates[] = {
    "unknown", "established", "syn-sent", "syn-received", "fin-wait-1", "fin-wait-2",  "time-wait",
    "closed",  "close-wait",  "last-ack", "listen",       "closing",    "syn-received"};
constexpr const char* kCongestionStates[] = {"open", "disorder", "cwr", "recovery", "loss"};

struct Field {
  const char* name;
  size_t offset;
  size_t size;
  double unit;         // what the kernel's number is multiplied by
  uint64_t unlimited;  // the kernel's number for "no limit"; 0 for none
};

constexpr double kMicroseconds = 1e-3;
constexpr uint64_t kNoThreshold = 0x7fffffff;

#define FIELD(name, field, unit, unlimited) \
  { name, offsetof(KernelTcpInfo, field), sizeof(KernelTcpInfo::field), unit, unlimited }

constexpr Field kFields[] = {
    FIELD("rtt", rtt, kMicroseconds, 0),
    FIELD("rttVariance", rttvar, kMicroseconds, 0),
    FIELD("minRtt", min_rtt, kMicroseconds, UINT32_MAX),
    FIELD("receiveRtt", rcv_rtt, kMicroseconds, 0),
    FIELD("retransmitTimeout", rto, kMicroseconds, 0),
    FIELD("ackTimeout", ato, kMicroseconds, 0),
    FIELD("sinceDataSent", last_data_sent, 1, 0),
    FIELD("sinceDataReceived", last_data_recv, 1, 0),
    FIELD("sinceAckReceived", last_ack_recv, 1, 0),
    FIELD("congestionWindow", snd_cwnd, 1, 0),
    FIELD("slowStartThreshold", snd_ssthresh, 1, kNoThreshold),
    FIELD("sendWindow", snd_wnd, 1, 0),
    FIELD("receiveWindow", rcv_wnd, 1, 0),
    FIELD("receiveSpace", rcv_space, 1, 0),
    FIELD("sendMss", snd_mss, 1, 0),
    FIELD("receiveMss", rcv_mss, 1, 0),
    FIELD("advertisedMss", advmss, 1, 0),
    FIELD("pathMtu", pmtu, 1, 0),
    FIELD("unacked", unacked, 1, 0),
    FIELD("sacked", sacked, 1, 0),
    FIELD("lost", lost, 1, 0),
    FIELD("retransmitting", retrans, 1, 0),
    FIELD("timeouts", retransmits, 1, 0),
    FIELD("probes", probes, 1, 0),
    FIELD("backoff", backoff, 1, 0),
    FIELD("retransmits", total_retrans, 1, 0),
    FIELD("reordering", reordering, 1, 0),
    FIELD("pacingRate", pacing_rate, 1, UINT64_MAX),
    FIELD("maxPacingRate", max_pacing_rate, 1, UINT64_MAX),
    FIELD("deliveryRate", delivery_rate, 1, 0),
    FIELD("bytesSent", bytes_sent, 1, 0),
    FIELD("bytesAcked", bytes_acked, 1, 0),
    FIELD("bytesRetransmitted", bytes_retrans, 1, 0),
    FIELD("bytesReceived", bytes_received, 1, 0),
    FIELD("bytesNotSent", notsent_bytes, 1, 0),
    FIELD("segmentsSent", segs_out, 1, 0),
    FIELD("segmentsReceived", segs_in, 1, 0),
    FIELD("dataSegmentsSent", data_segs_out, 1, 0),
    FIELD("dataSegmentsReceived", data_segs_in, 1, 0),
    FIELD("segmentsDelivered", delivered, 1, 0),
    FIELD("segmentsDeliveredMarked", delivered_ce, 1, 0),
    FIELD("segmentsOutOfOrder", rcv_ooopack, 1, 0),
    FIELD("duplicatesReported", dsack_dups, 1, 0),
    FIELD("reorderingsSeen", reord_seen, 1, 0),
    FIELD("busyTime", busy_time, kMicroseconds, 0),
    FIELD("receiverLimitedTime", rwnd_limited, kMicroseconds, 0),
    FIELD("bufferLimitedTime", sndbuf_limited, kMicroseconds, 0),
};

uint64_t Load(const void* from, size_t size) {
  uint64_t wide = 0;
  uint32_t word = 0;
  uint8_t byte = 0;
  switch (size) {
    case 8: std::memcpy(&wide, from, size); return wide;
    case 4: std::memcpy(&word, from, size); return word;
    default: std::memcpy(&byte, from, 1); return byte;
  }
}

Result<size_t> GetTcpInfo(int fd, KernelTcpInfo* info) {
  socklen_t size = sizeof(*info);
  if (getsockopt(fd, IPPROTO_TCP, kTcpInfo, info, &size) == 0) return size_t{size};
  return Error{"getsockopt", errno};
}

template <size_t N>
const char* NameOf(const char* const (&names)[N], size_t number) {
  return number < N ? names[number] : "unknown";
}

Result<int> Ask(int fd, unsigned long request) {
  int value = 0;
  if (ioctl(fd, request, &value) == 0) return value;
  return Error{"ioctl", errno};
}

Result<Facts> TcpListenInfo(int fd) {
  KernelTcpInfo info{};
  const auto size = GetTcpInfo(fd, &info);
  if (!size.ok()) return size.error();
  // The fields of a listening socket mean something else.
  Facts facts{{"queued", static_cast<double>(info.unacked)},
              {"backlog", static_cast<double>(info.sacked)}};
#ifdef SO_MEMINFO
  constexpr size_t kDrops = 8;  // SK_MEMINFO_DROPS
  uint32_t memory[16] = {};
  socklen_t length = sizeof(memory);
  if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length) == 0 &&
      length > kDrops * sizeof(uint32_t)) {
    facts.push_back({"dropped", static_cast<double>(memory[kDrops])});
  }
#endif
  return facts;
}

#ifdef HAS_UNIX_DIAG
struct UnixQuestion {
  nlmsghdr header;
  unix_diag_req request;
};

// How long the queue of the Unix socket with that inode is.
UnixQuestion AskForQueue(ino_t inode) {
  UnixQuestion question{};
  question.header.nlmsg_len = sizeof(question);
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = AF_UNIX;
  question.request.udiag_states = UINT32_MAX;
  question.request.udiag_ino = static_cast<uint32_t>(inode);
  question.request.udiag_show = UDIAG_SHOW_RQLEN;
  question.request.udiag_cookie[0] = question.request.udiag_cookie[1] = UINT32_MAX;
  return question;
}

std::optional<unix_diag_rqlen> QueueIn(const char* answer, ssize_t size) {
  constexpr ssize_t kHead = NLMSG_LENGTH(sizeof(unix_diag_msg));
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer);
  if (size < kHead || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return std::nullopt;
  int left = static_cast<int>(size - kHead);
  const auto* attribute = reinterpret_cast<const rtattr*>(answer + kHead);
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if (attribute->rta_type != UNIX_DIAG_RQLEN) continue;
    unix_diag_rqlen lengths;
    if (RTA_PAYLOAD(attribute) < sizeof(lengths)) return std::nullopt;
    std::memcpy(&lengths, RTA_DATA(attribute), sizeof(lengths));
    return lengths;
  }
  return std::nullopt;
}

// What `ss` asks: the one place where the kernel tells the queue of a Unix listener. Answered
// within the send, so that nothing waits. Not every kernel has it (CONFIG_UNIX_DIAG).
std::optional<unix_diag_rqlen> AskUnixQueue(int fd) {
  struct stat status;
  if (fstat(fd, &status) < 0) return std::nullopt;
  const OwnFd link(
      socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!link) return std::nullopt;
  const UnixQuestion question = AskForQueue(status.st_ino);
  if (send(link.get(), &question, sizeof(question), 0) < 0) return std::nullopt;
  alignas(nlmsghdr) char answer[1024];
  return QueueIn(answer, recv(link.get(), answer, sizeof(answer), 0));
}

Facts UnixListenInfo(int fd) {
  const auto lengths = AskUnixQueue(fd);
  if (!lengths) return {};
  return {{"queued", static_cast<double>(lengths->udiag_rqueue)},
          {"backlog", static_cast<double>(lengths->udiag_wqueue)}};
}
#else
Facts UnixListenInfo(int) { return {}; }
#endif

}  // namespace

Result<Facts> TcpInfo(int fd) {
  KernelTcpInfo info{};
  const auto size = GetTcpInfo(fd, &info);
  if (!size.ok()) return size.error();
  Facts facts{{"state", 0, NameOf(kStates, info.state)},
              {"congestionState", 0, NameOf(kCongestionStates, info.ca_state)}};
  for (const Field& field : kFields) {
    if (field.offset + field.size > size.value()) continue;
    const uint64_t number = Load(reinterpret_cast<const char*>(&info) + field.offset, field.size);
    const bool unlimited = field.unlimited != 0 && number == field.unlimited;
    facts.push_back({field.name, unlimited ? HUGE_VAL : static_cast<double>(number) * field.unit});
  }
  return facts;
}

Result<Facts> QueueInfo(int fd) {
  const auto unread = Ask(fd, FIONREAD);
  if (!unread.ok()) return unread.error();
  const auto unsent = Ask(fd, TIOCOUTQ);
  if (!unsent.ok()) return unsent.error();
  return Facts{{"unread", static_cast<double>(unread.value())},
               {"unsent", static_cast<double>(unsent.value())}};
}

Result<Facts> ListenInfo(int fd) {
  const auto local = LocalAddr(fd);
  if (!local.ok()) return local.error();
  if (local.value().is_ip()) return TcpListenInfo(fd);
  return UnixListenInfo(fd);
}

}  // namespace spliceway::sys
