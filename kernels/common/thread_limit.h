// For callers that run several things side by side, each on a thread of its own.
#pragma once

namespace vgg19::kernels {

/// While it lives, parallel_for and parallel_workers, called from the thread that made it, use at most that
/// many threads, whatever they are asked for. What they compute is the same. Libraries that have threads by
/// themselves (oneDNN) are not bound by it.
class ThreadLimit {
  public:
    explicit ThreadLimit(int threads);
    ~ThreadLimit();
    ThreadLimit(const ThreadLimit&) = delete;
    ThreadLimit& operator=(const ThreadLimit&) = delete;

    /// `threads`, cut by the limit of the calling thread, if it has one.
    static int apply(int threads);

  private:
    int previous_;
};

}  // namespace vgg19::kernels
