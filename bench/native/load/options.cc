#include "options.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "clock.h"
#include "tcp.h"

namespace bench {
namespace {

constexpr char kUsage[] =
    "usage: load echo    --target HOST:PORT --server-pid PID --connections N --size BYTES\n"
    "                    --in-flight N --warm-up-ms N --measure-ms N\n"
    "       load connect --target HOST:PORT --server-pid PID --connections N\n"
    "                    --warm-up-ms N --measure-ms N\n"
    "       load http    --target HOST:PORT --server-pid PID --connections N\n"
    "                    --warm-up-ms N --measure-ms N\n"
    "       load idle    --target HOST:PORT --connections N --size BYTES\n"
    "       load packets --target HOST:PORT --server-pid PID --connections N --size BYTES\n"
    "                    --in-flight N --warm-up-ms N --measure-ms N\n"
    "       load forward --connections N --warm-up-ms N --measure-ms N [--patience-ms N]\n"
    "       load ping-pong --connections N --size BYTES --warm-up-ms N --measure-ms N\n"
    "                    (of these two the proxy's HOST:PORT and PID come on standard input)\n"
    "       load receive --target HOST:PORT --server-pid PID --file PATH --connections N\n"
    "                    --warm-up-ms N --measure-ms N [--request PATH] [--endless 1]\n"
    "       load lines|frames --target HOST:PORT --server-pid PID --connections N --size BYTES\n"
    "                    --warm-up-ms N --measure-ms N\n";

[[noreturn]] void BadUsage(const std::string& why) {
  std::fprintf(stderr, "load: %s\n%s", why.c_str(), kUsage);
  std::exit(2);
}

int64_t ToNumber(const char* text) {
  int64_t number = 0;
  const char* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stopped != end || number < 0) {
    BadUsage(std::string(text) + " is no number");
  }
  return number;
}

sockaddr_in ToAddress(const char* text) {
  sockaddr_in address;
  if (parse_address(text, &address) < 0) BadUsage(std::string(text) + " is no HOST:PORT");
  return address;
}

void Set(Options* options, const std::string& name, const char* value) {
  if (name == "--target") {
    options->target = ToAddress(value);
  } else if (name == "--server-pid") {
    options->server_pid = static_cast<pid_t>(ToNumber(value));
  } else if (name == "--connections") {
    options->connections = static_cast<int>(ToNumber(value));
  } else if (name == "--size") {
    options->size = ToNumber(value);
  } else if (name == "--in-flight") {
    options->in_flight = static_cast<int>(ToNumber(value));
  } else if (name == "--warm-up-ms") {
    options->warm_up_ns = ToNumber(value) * kMillisecond;
  } else if (name == "--measure-ms") {
    options->measure_ns = ToNumber(value) * kMillisecond;
  } else if (name == "--patience-ms") {
    options->patience_ns = ToNumber(value) * kMillisecond;
  } else if (name == "--file") {
    options->file = value;
  } else if (name == "--request") {
    options->request = value;
  } else if (name == "--endless") {
    options->endless = ToNumber(value) != 0;
  } else {
    BadUsage("there is no option " + name);
  }
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  if (argc < 2 || argc % 2 != 0) BadUsage("a mode and pairs of --name value are needed");
  Options options;
  options.mode = argv[1];
  for (int i = 2; i < argc; i += 2) Set(&options, argv[i], argv[i + 1]);
  if (options.connections < 1 || options.size < 1 || options.in_flight < 1) {
    BadUsage("--connections, --size and --in-flight must be at least 1");
  }
  const bool proxied = options.mode == "forward" || options.mode == "ping-pong";
  const bool measures = !proxied && options.mode != "idle";
  if (!proxied && options.target.sin_port == 0) BadUsage("--target is needed");
  if (measures && options.server_pid == 0) BadUsage("--server-pid is needed");
  if (options.mode == "receive" && options.file.empty()) BadUsage("--file is needed");
  return options;
}

}  // namespace bench
