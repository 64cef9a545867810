// A bound on the memory that all requests together take.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace vgg19::server {

class MemoryPool;

/// Some bytes of a pool, given back at the end of its life, or by shrink().
class Reservation {
  public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;
    ~Reservation() { shrink(0); }

    std::size_t bytes() const { return bytes_; }
    /// Reserves `more` bytes in addition. False, and nothing has changed, if they are not free now, or if
    /// this belongs to no pool.
    [[nodiscard]] bool grow(std::size_t more);
    /// Gives back all but `bytes`, if there are more.
    void shrink(std::size_t bytes) noexcept;

  private:
    friend class MemoryPool;
    Reservation(MemoryPool& pool, std::size_t bytes) : pool_(&pool), bytes_(bytes) {}

    MemoryPool* pool_ = nullptr;
    std::size_t bytes_ = 0;
};

/// So many bytes, of which parts can be reserved. Thread-safe; outlives its reservations.
class MemoryPool {
  public:
    explicit MemoryPool(std::size_t bytes) : bytes_(bytes) {}
    MemoryPool(const MemoryPool&) = delete;
    MemoryPool& operator=(const MemoryPool&) = delete;

    std::size_t bytes() const { return bytes_; }

    /// None if they are not free now.
    std::optional<Reservation> reserve(std::size_t bytes);
    /// Waits until they are free; the first to ask is the first to get. None if they never can be, or once
    /// `gives_up` returns true, which is asked several times a second.
    std::optional<Reservation> wait_for(std::size_t bytes, const std::function<bool()>& gives_up);

    /// Called on the thread that asks if bytes are not free: gives some back by ending reservations, or
    /// returns false. Set before the first request.
    void set_reclaim(std::function<bool()> reclaim) { reclaim_ = std::move(reclaim); }

    struct Usage {
        std::size_t reserved = 0;
        std::size_t most_reserved = 0;  ///< since the start
        std::uint64_t refusals = 0;
    };
    Usage usage() const;

  private:
    friend class Reservation;

    bool take(std::size_t bytes);
    bool try_take(std::size_t bytes);
    void add(std::size_t bytes);  // with the lock
    void give_back(std::size_t bytes) noexcept;

    const std::size_t bytes_;
    std::function<bool()> reclaim_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<const void*> waiting_;  ///< the first to ask is the first
    Usage usage_;
};

/// Held memory is kept while nothing works on it: bodies that arrive or wait for their turn, answers that are
/// being sent, the events of jobs. It has a quarter of the budget, so that requests that run have three
/// quarters whatever waits: a request that waits for working memory gets it when those that run are done.
class MemoryBudget {
  public:
    explicit MemoryBudget(std::size_t bytes) : held_(bytes / 4), working_(bytes - bytes / 4) {}

    MemoryPool& held() { return held_; }
    MemoryPool& working() { return working_; }

  private:
    MemoryPool held_;
    MemoryPool working_;
};

}  // namespace vgg19::server
