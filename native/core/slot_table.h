// Handle ids. JavaScript and the poller never hold a pointer: they hold a slot's index together
// with the slot's generation at the time, and an id or an event of an older life simply finds
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace spliceway {

// The object's two names. The id is a non-negative int32, which JavaScript engines keep unboxed.
struct SlotName {
  uint32_t index = 0;
  uint32_t generation = 0;

  //   id    bits 0–19 index, bits 20–30 generation (it wraps; whoever holds an id forgets it at
  //   close) tag   bits 0–31 index, bits 32–63 generation (it never wraps: 2^32 lives of one slot)
  static constexpr int kIndexBits = 20;
  static constexpr uint32_t kMaxIndex = (1u << kIndexBits) - 1;

  int32_t id() const { return static_cast<int32_t>((generation & 0x7ff) << kIndexBits | index); }
  uint64_t tag() const { return uint64_t{generation} << 32 | index; }
};

template <typename T>
class SlotTable {
 public:
  // False when all 2^20 slots are taken, which is beyond any table of descriptors seen in practice.
  bool Insert(std::unique_ptr<T> object, SlotName* name) {
    uint32_t index = free_;
    if (index != kNone) {
      free_ = slots_[index].next_free;
    } else {
      index = static_cast<uint32_t>(slots_.size());
      if (index > SlotName::kMaxIndex) return false;
      slots_.emplace_back();
    }
    slots_[index].object = std::move(object);
    *name = {index, slots_[index].generation};
    ++size_;
    return true;
  }

  std::unique_ptr<T> Remove(const SlotName& name) {
    Slot& slot = slots_[name.index];
    ++slot.generation;
    slot.next_free = std::exchange(free_, name.index);
    --size_;
    return std::move(slot.object);
  }

  // The same by id; nothing for one that finds nothing.
  std::unique_ptr<T> RemoveId(int32_t id) {
    if (FindId(id) == nullptr) return nullptr;
    const uint32_t index = static_cast<uint32_t>(id) & SlotName::kMaxIndex;
    return Remove({index, slots_[index].generation});
  }

  T* FindId(int32_t id) const {
    if (id < 0) return nullptr;
    const uint32_t index = static_cast<uint32_t>(id) & SlotName::kMaxIndex;
    if (index >= slots_.size()) return nullptr;
    const Slot& slot = slots_[index];
    return SlotName{index, slot.generation}.id() == id ? slot.object.get() : nullptr;
  }

  T* FindTag(uint64_t tag) const {
    const auto index = static_cast<uint32_t>(tag);
    if (index >= slots_.size() || slots_[index].generation != tag >> 32) return nullptr;
    return slots_[index].object.get();
  }

  size_t size() const { return size_; }

  template <typename F>
  void ForEach(F visit) {
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].object) visit(slots_[i].object.get());
    }
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Slot {
    std::unique_ptr<T> object;
    uint32_t generation = 0;
    uint32_t next_free = kNone;
  };

  std::vector<Slot> slots_;
  uint32_t free_ = kNone;
  size_t size_ = 0;
};

}  // namespace spliceway
