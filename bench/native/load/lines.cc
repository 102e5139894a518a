#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "fail.h"
#include "modes.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

// The server says "." for so many bytes in lines or bodies, and in the end how many lines or frames
// there were and how many bytes in them: "LINES BYTES\n".
constexpr int64_t kBytesPerDot = 256 * 1024;
constexpr int64_t kSendAtOnce = 256 * 1024;
constexpr int64_t kLetters = 26;

// Lines or frames of one length, as many as are sent at once and a few more.
struct Text {
  std::string bytes;
  int64_t piece;    // bytes of each on the wire
  int64_t counted;  // bytes of each as the server counts them

  const char* At(int64_t position) const { return bytes.data() + position % (piece * kLetters); }
};

// Each body begins with another letter than the one before it.
std::string BodyOf(int64_t size, int64_t i) {
  std::string body(static_cast<size_t>(size), 'x');
  if (size > 0) body[0] = static_cast<char>('a' + i % kLetters);
  return body;
}

int64_t PiecesOf(int64_t piece) { return kSendAtOnce / piece + 1 + kLetters; }

Text LinesOf(int64_t size) {
  Text text = {"", size, size - 1};
  for (int64_t i = 0; i < PiecesOf(size); i++) text.bytes += BodyOf(size - 1, i) + '\n';
  return text;
}

uint32_t Crc32(const std::string& bytes, uint32_t crc = 0) {
  crc = ~crc;
  for (const char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

std::string BigEndian(uint32_t number) {
  number = htonl(number);
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

// docs/wire-format.md
Text FramesOf(int64_t size) {
  const std::string head = std::string("BM\x01\x01", 4) + BigEndian(static_cast<uint32_t>(size));
  std::vector<std::string> frames;
  for (int64_t i = 0; i < kLetters; i++) {
    const std::string body = BodyOf(size, i);
    frames.push_back(head + BigEndian(Crc32(body, Crc32(head))) + body);
  }
  const auto piece = static_cast<int64_t>(frames[0].size());
  Text text = {"", piece, size};
  for (int64_t i = 0; i < PiecesOf(piece); i++) {
    text.bytes += frames[static_cast<size_t>(i % kLetters)];
  }
  return text;
}

struct TextConn {
  Fd fd;
  int64_t sent = 0;
  int64_t dots = 0;
  std::string last;
  bool done = false;
};

class Sender {
 public:
  Sender(const Options& options, Text text)
      : options_(options),
        slices_(options),
        text_(std::move(text)),
        conns_(static_cast<size_t>(options.connections)) {
    for (size_t i = 0; i < conns_.size(); i++) {
      conns_[i].fd = ConnectFrom(0, options.target);
      poller_.Add(conns_[i].fd.get(), EPOLLIN | EPOLLOUT, i);
    }
  }

  void Run() {
    slices_.Run([this] { Turn(true); });
    for (TextConn& conn : conns_) EndPiece(&conn);
    slices_.Finish([this] { return Drained(); });
    slices_.Report(options_.mode.c_str(), nullptr);
  }

 private:
  void Turn(bool go_on) {
    poller_.Ask([this, go_on](uint64_t i, uint32_t events) {
      TextConn& conn = conns_[i];
      if (events & EPOLLIN) Listen(&conn);
      if (go_on && (events & EPOLLOUT)) {
        conn.sent += Send(conn.fd.get(), text_.At(conn.sent), kSendAtOnce);
      }
    });
  }

  void Listen(TextConn* conn) {
    if (conn->done) return;
    char said[4096];
    const int64_t n = Receive(conn->fd.get(), said, sizeof said);
    int64_t dots = 0;
    while (dots < n && said[dots] == '.') dots++;
    conn->last.append(said + dots, static_cast<size_t>(n - dots));
    slices_.Count(PiecesIn(conn->dots + dots) - PiecesIn(conn->dots));
    conn->dots += dots;
    if (!conn->last.empty() && conn->last.back() == '\n') Check(conn);
  }

  int64_t PiecesIn(int64_t dots) const {
    return dots * kBytesPerDot / std::max<int64_t>(text_.counted, 1);
  }

  // What was cut off by the last send is sent too, however long that takes.
  void EndPiece(TextConn* conn) {
    while (conn->sent % text_.piece != 0) {
      const int64_t rest = text_.piece - conn->sent % text_.piece;
      conn->sent += Send(conn->fd.get(), text_.At(conn->sent), static_cast<size_t>(rest));
    }
    shutdown(conn->fd.get(), SHUT_WR);
  }

  void Check(TextConn* conn) {
    conn->done = true;
    slices_.Count(1);
    const int64_t pieces = conn->sent / text_.piece;
    const int64_t bytes = pieces * text_.counted;
    const std::string right = std::to_string(pieces) + " " + std::to_string(bytes) + "\n";
    if (conn->last != right || conn->dots != bytes / kBytesPerDot) {
      Fail("%" PRId64 " dots and %s instead of %s", conn->dots, conn->last.c_str(), right.c_str());
    }
  }

  bool Drained() {
    Turn(false);
    return std::all_of(conns_.begin(), conns_.end(),
                       [](const TextConn& conn) { return conn.done; });
  }

  const Options& options_;
  Slices slices_;
  const Text text_;
  Poller poller_;
  std::vector<TextConn> conns_;
};

}  // namespace

void RunLines(const Options& options) { Sender(options, LinesOf(options.size)).Run(); }
void RunFrames(const Options& options) { Sender(options, FramesOf(options.size)).Run(); }

}  // namespace bench
