#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/common/parallel.h"
#include "kernels/common/thread_limit.h"

namespace vgg19::kernels {

namespace {

/// One call of run_tasks, split into `parts` ranges of indices. Part 0 runs on the caller.
struct Job {
    detail::Task task = nullptr;
    void* context = nullptr;
    std::size_t tasks = 0;
    std::size_t parts = 0;
    std::size_t next_part = 1;
    std::size_t unfinished_parts = 0;
    Job* next = nullptr;

    void run_part(std::size_t part) const {
        const Range range = part_of(tasks, parts, part);
        for (std::size_t index = range.begin; index < range.end; ++index) task(context, index);
    }
};

/// Workers shared by all callers. Jobs form a linked list through the callers' stacks, so that only starting
/// a worker allocates.
class Pool {
  public:
    ~Pool() {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        work_.notify_all();
        for (std::thread& worker : workers_) worker.join();
    }

    void run(Job& job) {
        {
            const std::scoped_lock lock(mutex_);
            while (workers_.size() + 1 < job.parts) workers_.emplace_back([this] { work(); });
            job.unfinished_parts = job.parts - 1;
            job.next = first_;
            first_ = &job;
        }
        work_.notify_all();
        job.run_part(0);
        std::unique_lock lock(mutex_);
        // If the pool is busy, the caller runs parts that no worker has started.
        while (job.next_part < job.parts) run_one_part(job, lock);
        done_.wait(lock, [&] { return job.unfinished_parts == 0; });
    }

  private:
    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            work_.wait(lock, [&] { return stopping_ || first_ != nullptr; });
            if (stopping_) return;
            run_one_part(*first_, lock);
        }
    }

    void run_one_part(Job& job, std::unique_lock<std::mutex>& lock) {
        const std::size_t part = job.next_part++;
        if (job.next_part == job.parts) remove(job);
        lock.unlock();
        job.run_part(part);
        lock.lock();
        if (--job.unfinished_parts == 0) done_.notify_all();
    }

    void remove(const Job& job) {
        Job** link = &first_;
        while (*link != &job) link = &(*link)->next;
        *link = job.next;
    }

    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable done_;
    std::vector<std::thread> workers_;
    Job* first_ = nullptr;
    bool stopping_ = false;
};

}  // namespace

void detail::run_tasks(int threads, std::size_t tasks, Task task, void* context) {
    threads = ThreadLimit::apply(threads);
    const std::size_t parts = std::min<std::size_t>(static_cast<std::size_t>(std::max(threads, 1)), tasks);
    if (parts <= 1) {
        for (std::size_t index = 0; index < tasks; ++index) task(context, index);
        return;
    }
    static Pool pool;
    Job job{.task = task, .context = context, .tasks = tasks, .parts = parts};
    pool.run(job);
}

int detail::cpus_dealt_out_to_threads() {
    return 0;
}

LibraryThreads::LibraryThreads(int threads) : previous_(threads) {}
LibraryThreads::~LibraryThreads() = default;

}  // namespace vgg19::kernels
