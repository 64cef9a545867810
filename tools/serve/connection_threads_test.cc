#include "tools/serve/connection_threads.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace {

using vgg19::server::ConnectionThreads;

}  // namespace

TEST_CASE("if all threads are busy, the caller runs the task, with refuses() set") {
    ConnectionThreads threads(2);
    std::atomic<bool> go = false;
    std::atomic<int> accepted = 0;
    int refused = 0;
    for (int i = 0; i < 5; ++i) {
        threads.enqueue([&] {
            if (ConnectionThreads::refuses()) {
                ++refused;
                return;
            }
            while (!go) std::this_thread::yield();
            ++accepted;
        });
    }
    CHECK(refused == 3);
    CHECK_FALSE(ConnectionThreads::refuses());
    go = true;
    threads.shutdown();
    CHECK(accepted == 2);
}

TEST_CASE("threads are reused, and all accepted tasks are finished before the end") {
    ConnectionThreads threads(3);
    std::atomic<int> done = 0;
    int taken = 0;
    while (taken < 500) {
        bool was_refused = false;
        threads.enqueue([&] {
            if (ConnectionThreads::refuses()) {
                was_refused = true;
            } else {
                ++done;
            }
        });
        taken += was_refused ? 0 : 1;
    }
    threads.shutdown();
    CHECK(done == taken);
}
