#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "fail.h"
#include "modes.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

constexpr int64_t kReceiveAtOnce = 1024 * 1024;
// Looked at on each connection once the window is over.
constexpr int64_t kCheckedAfterwards = 4 * 1024 * 1024;

// The file that the server sends, as the kernel has it in memory.
class File {
 public:
  explicit File(const std::string& path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat about;
    if (fd.get() < 0 || fstat(fd.get(), &about) < 0) FailWithErrno(path.c_str());
    void* p = mmap(nullptr, about.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
    if (p == MAP_FAILED) FailWithErrno("mmap");
    bytes_ = {static_cast<const char*>(p), static_cast<size_t>(about.st_size)};
  }
  File(const File&) = delete;
  ~File() { munmap(const_cast<char*>(bytes_.data()), bytes_.size()); }

  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

  void Check(int64_t position, const char* received, int64_t n) const {
    const std::string_view expected = bytes_.substr(static_cast<size_t>(position));
    if (expected.compare(0, static_cast<size_t>(n), received, static_cast<size_t>(n)) == 0) return;
    Fail("other bytes than the file's came at %" PRId64, position);
  }

 private:
  std::string_view bytes_;
};

struct Download {
  Fd fd;
  // Of an HTTP answer, until its end was found.
  std::string head;
  bool in_body = false;
  int64_t received = 0;
  int64_t to_check = 0;
};

class Receiver {
 public:
  explicit Receiver(const Options& options)
      : options_(options),
        slices_(options),
        file_(options.file),
        buffer_(kReceiveAtOnce),
        downloads_(static_cast<size_t>(options.connections)) {
    for (size_t i = 0; i < downloads_.size(); i++) Begin(i);
  }

  void Run() {
    slices_.Run([this] { Turn(); });
    for (Download& download : downloads_) download.to_check = kCheckedAfterwards;
    slices_.Finish([this] { return Checked(); });
    slices_.Report("bytes", nullptr);
  }

 private:
  void Begin(size_t i) {
    Download& download = downloads_[i];
    download.fd = ConnectFrom(0, options_.target);
    ResetOnClose(download.fd.get());
    download.received = 0;
    download.head.clear();
    download.in_body = options_.request.empty();
    if (!download.in_body) Ask(download.fd.get());
    poller_.Add(download.fd.get(), EPOLLIN, i);
  }

  // HTTP/1.0: the answer ends with the connection.
  void Ask(int fd) {
    const std::string request = "GET " + options_.request + " HTTP/1.0\r\n\r\n";
    if (Send(fd, request.data(), request.size()) != static_cast<int64_t>(request.size())) {
      Fail("no room for a request");
    }
  }

  void Turn() {
    poller_.Ask([this](uint64_t i, uint32_t) { Receive(i); });
  }

  void Receive(size_t i) {
    Download& download = downloads_[i];
    if (!download.in_body) return ReceiveHead(&download);
    // The window is for the server: there the bytes are thrown away unseen. Those before and after
    // it are looked at, and the places of the latter show that none was lost or doubled in between.
    const bool unseen = slices_.measuring();
    const int64_t position = download.received % file_.size();
    const int64_t wanted =
        unseen ? kReceiveAtOnce : std::min(kReceiveAtOnce, file_.size() - position);
    const ssize_t n = recv(download.fd.get(), buffer_.data(), static_cast<size_t>(wanted),
                           unseen ? MSG_TRUNC : 0);
    if (n == 0) return End(i);
    if (n < 0 && errno != EAGAIN) FailWithErrno("recv");
    if (n < 0) return;
    if (!unseen) file_.Check(position, buffer_.data(), n);
    Take(&download, n);
  }

  void Take(Download* download, int64_t n) {
    download->received += n;
    download->to_check = std::max<int64_t>(0, download->to_check - n);
    slices_.Count(n);
    if (!options_.endless && download->received > file_.size()) Fail("more came than the file has");
  }

  void ReceiveHead(Download* download) {
    char byte;
    while (bench::Receive(download->fd.get(), &byte, 1) == 1) {
      download->head += byte;
      if (!download->head.ends_with("\r\n\r\n")) continue;
      if (download->head.find(" 200 ") == std::string::npos) Fail("%s", download->head.c_str());
      download->in_body = true;
      return;
    }
  }

  void End(size_t i) {
    if (options_.endless || downloads_[i].received != file_.size()) {
      Fail("the server ended a connection after %" PRId64 " bytes", downloads_[i].received);
    }
    Begin(i);
  }

  bool Checked() {
    Turn();
    return std::all_of(downloads_.begin(), downloads_.end(),
                       [](const Download& download) { return download.to_check == 0; });
  }

  const Options& options_;
  Slices slices_;
  const File file_;
  std::vector<char> buffer_;
  Poller poller_;
  std::vector<Download> downloads_;
};

}  // namespace

void RunReceive(const Options& options) { Receiver(options).Run(); }

}  // namespace bench
