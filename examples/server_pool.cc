// Embeds the library in a server that has a thread pool: requests and the library's loops share its threads.
//
//     vgg19-example-server-pool MODEL THREADS SECONDS IMAGE…
//
// Treats each image as a request with a time limit, and prints its most probable class, in the order of the
// command line. What the library notes goes to standard error.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>
#include <vgg19/vgg19.hpp>

namespace {

/// The server's own pool.
class Pool {
  public:
    explicit Pool(std::size_t threads) {
        for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }
    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            ends_ = true;
        }
        changed_.notify_all();
    }
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    void post(std::function<void()> task, bool first = false) {
        {
            const std::lock_guard lock(mutex_);
            first ? tasks_.push_front(std::move(task)) : tasks_.push_back(std::move(task));
        }
        changed_.notify_one();
    }

    /// For vgg19::SessionOptions::parallel_for. The thread that calls takes part, so it waits only for calls
    /// that have begun, and never for a free thread: a pool whose threads all run requests does not deadlock.
    void parallel_for(std::size_t count, const std::function<void(std::size_t)>& call) {
        const auto loop = std::make_shared<Loop>(count, call);
        // Before the requests that wait: those that have begun are finished first.
        for (std::size_t i = 1; i < count; ++i) post([loop] { loop->take_one(); }, true);
        while (loop->take_one()) {
        }
        loop->wait();
    }

  private:
    struct Loop {
        Loop(std::size_t calls, const std::function<void(std::size_t)>& function)
            : count(calls), call(&function) {}

        /// False if every call has been taken. A thread that comes late does not touch `call`.
        bool take_one() {
            const std::size_t index = next.fetch_add(1);
            if (index >= count) return false;
            (*call)(index);
            if (done.fetch_add(1) + 1 == count) done.notify_one();
            return true;
        }
        void wait() {
            for (std::size_t now = done; now < count; now = done) done.wait(now);
        }

        std::size_t count;
        const std::function<void(std::size_t)>* call;
        std::atomic<std::size_t> next = 0;
        std::atomic<std::size_t> done = 0;
    };

    void work() {
        while (true) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            const std::function<void()> task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    bool ends_ = false;
    std::vector<std::jthread> threads_;  // the last member: the threads end first
};

/// One request: what to answer.
std::string answer(vgg19::Session& session, const std::string& path, double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    try {
        std::vector<float> input(3 * session.input_size().pixels());
        std::vector<float> logits(session.model().classes());
        session.preprocess(vgg19::load_image(path).view(), input);
        const std::span<float> outputs[] = {logits};
        session.run(input, outputs,
                    {.is_cancelled = [end] { return std::chrono::steady_clock::now() >= end; }});
        const vgg19::Prediction best = session.predictions(logits, 1).front();
        return path + ": " + std::to_string(best.class_index) + " " + std::string(best.label);
    } catch (const vgg19::Error& error) {
        if (error.kind() == vgg19::ErrorKind::cancelled) return path + ": took too long";
        return error.what();
    } catch (const std::exception& error) {  // such as std::bad_alloc: the server goes on
        return path + ": " + error.what();
    }
}

void print(vgg19::LogLevel level, std::string_view message) {
    if (level == vgg19::LogLevel::detail) return;
    const char* const kind = level == vgg19::LogLevel::warning ? "warning: " : "";
    std::fprintf(stderr, "vgg19: %s%.*s\n", kind, static_cast<int>(message.size()), message.data());
}

}  // namespace

int main(int argc, char** argv) {
    const long threads = argc < 5 ? 0 : std::strtol(argv[2], nullptr, 10);
    if (threads < 1 || threads > 256) {
        std::fprintf(stderr, "usage: %s MODEL THREADS SECONDS IMAGE…, with 1 to 256 threads\n", argv[0]);
        return 2;
    }
    try {
        Pool pool(static_cast<std::size_t>(threads));
        const vgg19::Model model = vgg19::Model::open(argv[1]);
        const vgg19::SessionOptions options = {
            .threads = static_cast<int>(threads),
            .outputs = {"logits"},
            .parallel_for = [&pool](std::size_t count, const auto& call) { pool.parallel_for(count, call); },
            .log = print};
        const double seconds = std::strtod(argv[3], nullptr);
        const std::vector<std::string> images(argv + 4, argv + argc);
        std::vector<std::string> answers(images.size());
        std::atomic<std::size_t> next = 0;
        // A session runs one input at a time. With two, one's loops keep the threads busy while the other's
        // request is decoded.
        std::vector<vgg19::Session> sessions;
        sessions.reserve(2);
        while (sessions.size() < 2) sessions.emplace_back(model, options);
        std::latch ends(static_cast<std::ptrdiff_t>(sessions.size()));
        for (vgg19::Session& session : sessions) {
            pool.post([&] {
                for (std::size_t i = next++; i < images.size(); i = next++) {
                    answers[i] = answer(session, images[i], seconds);
                }
                ends.count_down();
            });
        }
        ends.wait();
        for (const std::string& text : answers) std::printf("%s\n", text.c_str());
    } catch (const vgg19::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
