#include <sys/socket.h>

#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include "fail.h"
#include "modes.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

// The server says "." for so many lines, and in the end how many lines and bytes in them there
// were: "LINES BYTES\n".
constexpr int64_t kLinesPerDot = 4096;
constexpr int64_t kSendAtOnce = 256 * 1024;

// Lines of one length. Each begins with another letter than the one before it.
class Text {
 public:
  explicit Text(int64_t line) : line_(line) {
    while (static_cast<int64_t>(bytes_.size()) < kSendAtOnce + line * kLetters) {
      std::string next(static_cast<size_t>(line - 1), 'x');
      if (line > 1) next[0] = static_cast<char>('a' + bytes_.size() / line % kLetters);
      bytes_ += next + '\n';
    }
  }

  const char* At(int64_t position) const { return bytes_.data() + position % (line_ * kLetters); }
  int64_t line() const { return line_; }

 private:
  static constexpr int64_t kLetters = 26;

  const int64_t line_;
  std::string bytes_;
};

struct LineConn {
  Fd fd;
  int64_t sent = 0;
  int64_t dots = 0;
  std::string last;
  bool done = false;
};

class Lines {
 public:
  explicit Lines(const Options& options)
      : slices_(options), text_(options.size), conns_(options.connections) {
    for (size_t i = 0; i < conns_.size(); i++) {
      conns_[i].fd = ConnectFrom(0, options.target);
      poller_.Add(conns_[i].fd.get(), EPOLLIN | EPOLLOUT, i);
    }
  }

  void Run() {
    slices_.Run([this] { Turn(true); });
    for (LineConn& conn : conns_) EndLine(&conn);
    slices_.Finish([this] { return Drained(); });
    slices_.Report("lines", nullptr);
  }

 private:
  void Turn(bool go_on) {
    poller_.Ask([this, go_on](uint64_t i, uint32_t events) {
      LineConn& conn = conns_[i];
      if (events & EPOLLIN) Listen(&conn);
      if (go_on && (events & EPOLLOUT)) {
        conn.sent += Send(conn.fd.get(), text_.At(conn.sent), kSendAtOnce);
      }
    });
  }

  void Listen(LineConn* conn) {
    if (conn->done) return;
    char said[4096];
    const int64_t n = Receive(conn->fd.get(), said, sizeof said);
    int64_t dots = 0;
    while (dots < n && said[dots] == '.') dots++;
    conn->last.append(said + dots, static_cast<size_t>(n - dots));
    conn->dots += dots;
    slices_.Count(dots * kLinesPerDot);
    if (!conn->last.empty() && conn->last.back() == '\n') Check(conn);
  }

  // What was cut off by the last send is sent too, however long that takes.
  void EndLine(LineConn* conn) {
    while (conn->sent % text_.line() != 0) {
      const int64_t rest = text_.line() - conn->sent % text_.line();
      conn->sent += Send(conn->fd.get(), text_.At(conn->sent), static_cast<size_t>(rest));
    }
    shutdown(conn->fd.get(), SHUT_WR);
  }

  void Check(LineConn* conn) {
    conn->done = true;
    slices_.Count(1);
    const int64_t lines = conn->sent / text_.line();
    const std::string right =
        std::to_string(lines) + " " + std::to_string(conn->sent - lines) + "\n";
    if (conn->last != right || conn->dots != lines / kLinesPerDot) {
      Fail("%" PRId64 " dots and %s instead of %s", conn->dots, conn->last.c_str(), right.c_str());
    }
  }

  bool Drained() {
    Turn(false);
    for (const LineConn& conn : conns_) {
      if (!conn.done) return false;
    }
    return true;
  }

  Slices slices_;
  const Text text_;
  Poller poller_;
  std::vector<LineConn> conns_;
};

}  // namespace

void RunLines(const Options& options) { Lines(options).Run(); }

}  // namespace bench
