#include "tools/serve/memory/memory_budget.h"

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace vgg19::server;

const auto never = [] { return false; };

}  // namespace

TEST_CASE("a pool gives no more than it has, and gets back what ends") {
    MemoryPool pool(100);
    std::optional<Reservation> first = pool.reserve(60);
    REQUIRE(first.has_value());
    CHECK_FALSE(pool.reserve(41).has_value());
    CHECK(pool.reserve(40).has_value());
    CHECK(first->grow(40));
    CHECK_FALSE(first->grow(1));
    CHECK(first->bytes() == 100);
    CHECK_FALSE(first->grow(SIZE_MAX));
    first->shrink(200);
    CHECK(pool.usage().reserved == 100);
    first->shrink(30);
    CHECK(pool.usage().reserved == 30);

    Reservation moved = std::move(*first);
    first.reset();
    CHECK(pool.usage().reserved == 30);
    moved = Reservation();
    CHECK(pool.usage().reserved == 0);
    CHECK(pool.usage().most_reserved == 100);
    CHECK(pool.usage().refusals == 3);
    CHECK_FALSE(moved.grow(1));
}

TEST_CASE("memory that is short is reclaimed first") {
    MemoryPool pool(100);
    std::vector<Reservation> old;
    pool.set_reclaim([&] {
        if (old.empty()) return false;
        old.erase(old.begin());
        return true;
    });
    for (int i = 0; i < 4; ++i) old.push_back(*pool.reserve(25));
    CHECK_FALSE(pool.reserve(101).has_value());
    CHECK(old.size() == 4);  // for what never fits, nothing is given up
    const auto taken = pool.reserve(40);
    CHECK(taken.has_value());
    CHECK(old.size() == 2);
    CHECK(pool.usage().reserved == 90);
}

TEST_CASE("who waits for memory gets it in turn") {
    MemoryPool pool(100);
    CHECK_FALSE(pool.wait_for(101, never).has_value());
    std::optional<Reservation> running = pool.wait_for(60, never);
    REQUIRE(running.has_value());

    std::atomic<int> turns = 0;
    std::atomic<bool> big_asked = false;
    std::thread big([&] {
        const auto taken = pool.wait_for(100, [&] {
            big_asked = true;
            return false;
        });
        CHECK(taken.has_value());
        CHECK(turns++ == 0);
    });
    while (!big_asked) std::this_thread::yield();
    std::atomic<bool> small_asked = false;
    std::thread small([&] {
        // There is room for it, but the other came first.
        const auto taken = pool.wait_for(10, [&] {
            small_asked = true;
            return false;
        });
        CHECK(taken.has_value());
        CHECK(turns++ == 1);
    });
    while (!small_asked) std::this_thread::yield();
    CHECK_FALSE(pool.reserve(1).has_value());
    CHECK(turns == 0);
    running.reset();
    big.join();
    small.join();
    CHECK(turns == 2);
    CHECK(pool.usage().reserved == 0);
}

TEST_CASE("who gives up lets the next one pass") {
    MemoryPool pool(100);
    const std::optional<Reservation> running = pool.reserve(60);
    std::atomic<bool> gives_up = false;
    std::atomic<bool> asked = false;
    std::thread big([&] {
        CHECK_FALSE(pool.wait_for(50,
                                  [&] {
                                      asked = true;
                                      return gives_up.load();
                                  })
                        .has_value());
    });
    while (!asked) std::this_thread::yield();
    std::thread small([&] { CHECK(pool.wait_for(40, never).has_value()); });
    gives_up = true;
    big.join();
    small.join();
    CHECK(pool.usage().reserved == 60);
}

TEST_CASE("requests that wait leave three quarters to those that run") {
    MemoryBudget budget(1001);
    CHECK(budget.held().bytes() == 250);
    CHECK(budget.working().bytes() == 751);
}
