// Limits threads for callers that run several things in parallel, each on its own thread.
#pragma once

namespace vgg19::kernels {

/// While this object exists, parallel_for and parallel_workers use at most `threads` threads when called from
/// the thread that created it, whatever they are asked for. Results do not change. Libraries with their own
/// threads (oneDNN) are not affected.
class ThreadLimit {
  public:
    explicit ThreadLimit(int threads);
    ~ThreadLimit();
    ThreadLimit(const ThreadLimit&) = delete;
    ThreadLimit& operator=(const ThreadLimit&) = delete;

    /// `threads`, or the calling thread's limit if that is lower.
    static int apply(int threads);

  private:
    int previous_;
};

}  // namespace vgg19::kernels
