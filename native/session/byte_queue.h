// Bytes in a line: put at the end, taken from the front.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace spliceway {

class ByteQueue {
 public:
  bool empty() const { return front_ == bytes_.size(); }
  size_t size() const { return bytes_.size() - front_; }
  std::span<const uint8_t> bytes() const { return std::span(bytes_).subspan(front_); }

  void Put(std::span<const uint8_t> more) {
    MakeRoom(more.size());
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }

  void Drop(size_t n) {
    front_ += n;
    if (!empty()) return;
    front_ = 0;
    bytes_.clear();
    if (bytes_.capacity() > kIdleAtMost) std::vector<uint8_t>().swap(bytes_);
  }

 private:
  // What one that is empty keeps: there may be ten thousands of them.
  static constexpr size_t kIdleAtMost = 4096;

  // Before it grows, what was dropped goes; each byte is moved once at most for each that left.
  void MakeRoom(size_t n) {
    if (bytes_.size() + n <= bytes_.capacity() || front_ < size()) return;
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<ptrdiff_t>(front_));
    front_ = 0;
  }

  std::vector<uint8_t> bytes_;
  size_t front_ = 0;
};

}  // namespace spliceway
