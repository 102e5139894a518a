#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "clock.h"
#include "fail.h"
#include "modes.h"
#include "slices.h"
#include "socket.h"

namespace bench {
namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kStatus = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLength = "\r\nContent-Length: ";
constexpr size_t kBuffer = 64 * 1024;

// The length of the answer that begins there, head included; 0 while the head is not whole.
size_t AnswerLength(std::string_view answer) {
  const size_t head = answer.find(kHeadEnd);
  if (head == std::string_view::npos) return 0;
  const size_t at = answer.substr(0, head).find(kLength);
  if (at == std::string_view::npos) Fail("an answer without Content-Length");
  size_t body = 0;
  std::from_chars(answer.data() + at + kLength.size(), answer.data() + head, body);
  return head + kHeadEnd.size() + body;
}

// A connection that is kept alive, with one request at a time on it.
struct Client {
  Fd fd;
  std::string answer;
  int64_t asked_at = 0;
  bool waits = false;
};

class HTTP {
 public:
  explicit HTTP(const Options& options) : slices_(options), buffer_(kBuffer) {
    for (int i = 0; i < options.connections; i++) {
      Client& client = clients_.emplace_back();
      client.fd = ConnectFrom(1 + i % kAddresses, options.target);
      ResetOnClose(client.fd.get());
      poller_.Add(client.fd.get(), EPOLLIN | EPOLLRDHUP | EPOLLET, static_cast<uint64_t>(i));
    }
  }

  void Run() {
    for (Client& client : clients_) Ask(&client);
    slices_.Run([this] { Turn(true); });
    slices_.Finish([this] { return Drained(); });
    slices_.Report("requests", &latencies_);
  }

 private:
  static constexpr int kAddresses = 8;

  void Ask(Client* client) {
    client->asked_at = Now();
    client->waits = true;
    const auto length = static_cast<int64_t>(kRequest.size());
    if (Send(client->fd.get(), kRequest.data(), kRequest.size()) != length) {
      Fail("no room for a request");
    }
  }

  void Turn(bool go_on) {
    poller_.Ask([this, go_on](uint64_t i, uint32_t events) { Serve(&clients_[i], events, go_on); });
  }

  void Serve(Client* client, uint32_t events, bool go_on) {
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) Fail("the server ended a connection");
    const int64_t n = Receive(client->fd.get(), buffer_.data(), buffer_.size());
    client->answer.append(buffer_.data(), static_cast<size_t>(n));
    const size_t length = AnswerLength(client->answer);
    if (length == 0 || client->answer.size() < length) return;
    if (client->answer.size() > length) Fail("more came than was asked for");
    Check(client->answer);
    Finish(client);
    if (go_on) Ask(client);
  }

  // All answers have the body of the first one.
  void Check(std::string_view answer) {
    if (!answer.starts_with(kStatus)) Fail("not an answer of 200");
    const std::string_view body = answer.substr(answer.find(kHeadEnd));
    if (body_.empty()) body_ = body;
    if (body != body_) Fail("two answers differ");
  }

  void Finish(Client* client) {
    if (slices_.measuring()) latencies_.Add(Now() - client->asked_at);
    slices_.Count(1);
    client->answer.clear();
    client->waits = false;
  }

  bool Drained() {
    Turn(false);
    return std::none_of(clients_.begin(), clients_.end(), [](const Client& c) { return c.waits; });
  }

  Slices slices_;
  Histogram latencies_;
  Poller poller_;
  std::vector<char> buffer_;
  std::vector<Client> clients_;
  std::string body_;
};

}  // namespace

void RunHTTP(const Options& options) { HTTP(options).Run(); }

}  // namespace bench
