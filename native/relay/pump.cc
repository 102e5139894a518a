#include "relay/pump.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys/io.h"

namespace spliceway {
namespace {

int64_t WriteTo(Pump::Kind kind, int fd, const void* p, size_t n) {
  return kind == Pump::Kind::kSocket ? sys::Send(fd, p, n) : sys::WriteFile(fd, p, n);
}

}  // namespace

Pump::~Pump() { ReturnPipe(); }

std::unique_ptr<Pump::Stash> Pump::StashOf(std::vector<char> bytes) {
  if (bytes.empty()) return nullptr;
  return std::make_unique<Stash>(Stash{std::move(bytes)});
}

void Pump::PutFirst(std::span<const uint8_t> bytes) {
  stash_ = StashOf({bytes.begin(), bytes.end()});
  taken_ = bytes.size();
}

void Pump::PutLast(std::span<const uint8_t> bytes) {
  last_ = StashOf({bytes.begin(), bytes.end()});
}

// Invariant at the top of each round: what was taken before is in the pipe or the stash or
// delivered.
Pump::Status Pump::Run(int from, int to) {
  taken_before_ = taken_;
  for (int round = 0; round < kRounds; ++round) {
    if (auto stop = Drain(to)) return *stop;
    if (Finished()) return error_ != 0 ? Status::kSourceFailed : Status::kEnd;
    if (!stash_ && taken_ >= allowed_) {
      ReturnPipe();
      return Status::kHeld;
    }
    if (!stash_) {
      if (auto stop = Fill(from, to)) return *stop;
    }
  }
  return Status::kMore;
}

// Whether nothing more will come. The bytes that were to be last are the next to be drained, unless
// the source ended before what was asked of it.
bool Pump::Finished() {
  if (!source_over_ && taken_ < limit_) return false;
  ReturnPipe();
  const bool short_of = limit_ != UINT64_MAX && taken_ < limit_;
  if (error_ != 0 || !last_ || short_of) return true;
  stash_ = std::move(last_);
  return false;
}

std::optional<Pump::Status> Pump::Drain(int to) {
  if (auto stop = DrainStash(to)) return stop;
  return DrainPipe(to);
}

std::optional<Pump::Status> Pump::DrainStash(int to) {
  if (!stash_) return std::nullopt;
  auto& [bytes, sent] = *stash_;
  while (sent < bytes.size()) {
    const int64_t n = WriteTo(sink_, to, bytes.data() + sent, bytes.size() - sent);
    if (auto stop = SinkSays(n)) return stop;
    sent += static_cast<size_t>(n);
  }
  stash_.reset();
  return std::nullopt;
}

std::optional<Pump::Status> Pump::DrainPipe(int to) {
  while (in_pipe_ > 0) {
    const int64_t n = sys::Splice(pipe_->read_end.get(), to, in_pipe_);
    if (n == sys::kUnhandled) {
      EmptyPipeByReading();
      return DrainStash(to);
    }
    if (auto stop = SinkSays(n)) return stop;
    in_pipe_ -= static_cast<size_t>(n);
  }
  return std::nullopt;
}

// The sink turned out not to take splices, with bytes on their way: they become a stash.
void Pump::EmptyPipeByReading() {
  can_splice_ = false;
  std::vector<char> bytes(in_pipe_);
  size_t have = 0;
  while (have < in_pipe_) {
    const int64_t n = sys::ReadFile(pipe_->read_end.get(), bytes.data() + have, in_pipe_ - have);
    if (n <= 0) break;  // cannot be: the bytes are there
    have += static_cast<size_t>(n);
  }
  bytes.resize(have);
  stash_ = StashOf(std::move(bytes));
  in_pipe_ = 0;
  ReturnPipe();
}

std::optional<Pump::Status> Pump::Fill(int from, int to) {
  if (source_ == Kind::kFile && sink_ == Kind::kSocket && can_sendfile_) return SendFile(from, to);
  if (bulk_ && can_splice_ && offset_ < 0 && !ran_dry_ && LeasePipe()) return FillPipe(from);
  return FillByCopy(from, to);
}

std::optional<Pump::Status> Pump::FillByCopy(int from, int to) {
  ReturnPipe();
  char small[kCopyAtOnce];
  const bool in_bulk = bulk_ && !ran_dry_;  // and no pipe
  const std::span<char> buffer = in_bulk ? pipes_->CopyBuffer() : std::span<char>(small);
  ran_dry_ = false;
  const int64_t n = ReadSource(from, buffer.first(Wanted(buffer.size())));
  if (n == -EAGAIN) {
    bulk_ = taken_ - taken_before_ >= kCopyAtOnce;
    return Status::kSourceEmpty;
  }
  if (!Took(n)) return std::nullopt;
  bulk_ = bulk_ || static_cast<size_t>(n) == buffer.size();
  size_t sent = 0;
  std::optional<Status> stop;
  while (sent < static_cast<size_t>(n)) {
    const int64_t wrote = WriteTo(sink_, to, buffer.data() + sent, static_cast<size_t>(n) - sent);
    if ((stop = SinkSays(wrote))) break;
    sent += static_cast<size_t>(wrote);
  }
  if (stop == Status::kSinkFull) stash_ = StashOf({buffer.begin() + sent, buffer.begin() + n});
  return stop;
}

int64_t Pump::ReadSource(int from, std::span<char> into) {
  if (source_ == Kind::kSocket) return sys::Receive(from, into.data(), into.size());
  if (offset_ < 0) return sys::ReadFile(from, into.data(), into.size());
  const int64_t n = sys::ReadFileAt(from, into.data(), into.size(), offset_);
  offset_ += std::max<int64_t>(n, 0);
  return n;
}

// Asks for all of the pipe's free room, again until the source is empty or the pipe takes no more.
// EAGAIN with bytes in the pipe proves neither: a pipe is also full when its slots are, each of
// which holds as little as one packet. Draining tells. With an empty pipe it does not prove the
// source empty, nor does 0 prove it over: at TCP's urgent mark Linux's splice stands still for ever
// and says the one or, with a FIN somewhere behind, the other. recv(2) passes the mark, so it has
// the last word.
std::optional<Pump::Status> Pump::FillPipe(int from) {
  while (in_pipe_ < pipe_->capacity && Wanted(1) > 0) {
    const size_t wanted = Wanted(pipe_->capacity - in_pipe_);
    const int64_t n = sys::Splice(from, pipe_->write_end.get(), wanted);
    if (n == sys::kUnhandled) {
      can_splice_ = false;
      return std::nullopt;
    }
    if (n == -EAGAIN || n == 0) {
      ran_dry_ = in_pipe_ == 0;
      return std::nullopt;
    }
    if (!Took(n)) return std::nullopt;
    in_pipe_ += static_cast<size_t>(n);
  }
  return std::nullopt;
}

std::optional<Pump::Status> Pump::SendFile(int from, int to) {
  constexpr size_t kAtOnce = 1024 * 1024;  // the size does not matter for speed, only for fairness
  const int64_t n = sys::SendFile(to, from, Wanted(kAtOnce), offset_ < 0 ? nullptr : &offset_);
  if (n == sys::kUnhandled) {
    can_sendfile_ = false;
    return std::nullopt;
  }
  if (n >= 0 && !Took(n)) return std::nullopt;
  return SinkSays(n);
}

// Books what a read of the source came to; false at its end. An end or an error is reported by Run
// once what is on its way has been delivered.
bool Pump::Took(int64_t result) {
  if (result > 0) {
    taken_ += static_cast<uint64_t>(result);
    return true;
  }
  source_over_ = true;
  error_ = static_cast<int>(-result);
  return false;
}

std::optional<Pump::Status> Pump::SinkSays(int64_t result) {
  if (result > 0) {
    delivered_ += static_cast<uint64_t>(result);
    return std::nullopt;
  }
  if (result == -EAGAIN) return Status::kSinkFull;
  error_ = static_cast<int>(-result);
  return Status::kSinkFailed;
}

bool Pump::LeasePipe() {
  if (pipe_) return true;
  if (auto taken = pipes_->Take()) pipe_ = std::make_unique<sys::PipeFds>(std::move(*taken));
  return pipe_ != nullptr;
}

// One with bytes left in it is closed instead.
void Pump::ReturnPipe() {
  if (pipe_ && in_pipe_ == 0)
    pipes_->Return(std::move(*pipe_));
  else if (pipe_)
    pipes_->Discard(std::move(*pipe_));
  pipe_.reset();
  in_pipe_ = 0;
}

size_t Pump::Wanted(size_t room) const {
  const uint64_t until = std::min(limit_, allowed_);
  return static_cast<size_t>(std::min<uint64_t>(room, until > taken_ ? until - taken_ : 0));
}

}  // namespace spliceway
