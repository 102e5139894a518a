#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "sys/info.h"
#include "sys/sockopt.h"

#ifdef __FreeBSD__
#include <sys/filio.h>
#endif

namespace spliceway::sys {
namespace {

// RFC 9293's names, by the numbers of netinet/tcp_fsm.h.
[[maybe_unused]] const char* StateOf(unsigned number) {
  static constexpr const char* kStates[] = {
      "closed",     "listen",  "syn-sent", "syn-received", "established", "close-wait",
      "fin-wait-1", "closing", "last-ack", "fin-wait-2",   "time-wait"};
  return number < sizeof(kStates) / sizeof(kStates[0]) ? kStates[number] : "unknown";
}

[[maybe_unused]] void AddOption(int fd, const char* name, int option, Facts* facts) {
  const auto value = GetInt(fd, SOL_SOCKET, option);
  if (value.ok()) facts->push_back({name, static_cast<double>(value.value())});
}

}  // namespace

#if defined(__APPLE__)
Result<Facts> TcpInfo(int fd) {
  tcp_connection_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_CONNECTION_INFO, &info, &size) < 0) {
    return Error{"getsockopt", errno};
  }
  const auto number = [](auto value) { return static_cast<double>(value); };
  return Facts{
      {"state", 0, StateOf(info.tcpi_state)},
      {"rtt", number(info.tcpi_srtt)},
      {"rttVariance", number(info.tcpi_rttvar)},
      {"retransmitTimeout", number(info.tcpi_rto)},
      {"congestionWindow",
       number(info.tcpi_snd_cwnd) / number(info.tcpi_maxseg ? info.tcpi_maxseg : 1)},
      {"slowStartThreshold",
       number(info.tcpi_snd_ssthresh) / number(info.tcpi_maxseg ? info.tcpi_maxseg : 1)},
      {"sendWindow", number(info.tcpi_snd_wnd)},
      {"receiveWindow", number(info.tcpi_rcv_wnd)},
      {"sendMss", number(info.tcpi_maxseg)},
      {"retransmits", number(info.tcpi_txretransmitpackets)},
      {"bytesSent", number(info.tcpi_txbytes)},
      {"bytesRetransmitted", number(info.tcpi_txretransmitbytes)},
      {"bytesReceived", number(info.tcpi_rxbytes)},
      {"segmentsSent", number(info.tcpi_txpackets)},
      {"segmentsReceived", number(info.tcpi_rxpackets)},
  };
}
#elif defined(__FreeBSD__)
Result<Facts> TcpInfo(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return Error{"getsockopt", errno};
  const auto number = [](auto value) { return static_cast<double>(value); };
  const double segment = info.tcpi_snd_mss > 0 ? number(info.tcpi_snd_mss) : 1;
  return Facts{
      {"state", 0, StateOf(info.tcpi_state)},
      {"rtt", number(info.tcpi_rtt) / 1000},
      {"rttVariance", number(info.tcpi_rttvar) / 1000},
      {"retransmitTimeout", number(info.tcpi_rto) / 1000},
      {"congestionWindow", number(info.tcpi_snd_cwnd) / segment},
      {"slowStartThreshold", number(info.tcpi_snd_ssthresh) / segment},
      {"sendWindow", number(info.tcpi_snd_wnd)},
      {"receiveSpace", number(info.tcpi_rcv_space)},
      {"sendMss", number(info.tcpi_snd_mss)},
      {"receiveMss", number(info.tcpi_rcv_mss)},
      {"retransmits", number(info.tcpi_snd_rexmitpack)},
      {"segmentsOutOfOrder", number(info.tcpi_rcv_ooopack)},
  };
}
#else
Result<Facts> TcpInfo(int) { return Error{"getsockopt", ENOPROTOOPT}; }
#endif

Result<Facts> QueueInfo(int fd) {
  int unread = 0;
  if (ioctl(fd, FIONREAD, &unread) < 0) return Error{"ioctl", errno};
  Facts facts{{"unread", static_cast<double>(unread)}};
#if defined(SO_NWRITE)
  AddOption(fd, "unsent", SO_NWRITE, &facts);
#elif defined(FIONWRITE)
  int unsent = 0;
  if (ioctl(fd, FIONWRITE, &unsent) == 0) facts.push_back({"unsent", static_cast<double>(unsent)});
#endif
  return facts;
}

Result<Facts> ListenInfo([[maybe_unused]] int fd) {
  Facts facts;
#ifdef SO_LISTENQLEN
  AddOption(fd, "queued", SO_LISTENQLEN, &facts);
  AddOption(fd, "backlog", SO_LISTENQLIMIT, &facts);
#endif
  return facts;
}

}  // namespace spliceway::sys
