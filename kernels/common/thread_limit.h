// Limits threads for callers that run several things in parallel, each on its own thread.
#pragma once

namespace vgg19::kernels {

/// While an object of this class exists, parallel_for and parallel_workers use at most that many threads when
/// they are called from the thread that made it, however many they are asked for. The results are the same.
/// Libraries with threads of their own (oneDNN) are not limited.
class ThreadLimit {
  public:
    explicit ThreadLimit(int threads);
    ~ThreadLimit();
    ThreadLimit(const ThreadLimit&) = delete;
    ThreadLimit& operator=(const ThreadLimit&) = delete;

    /// `threads`, or the limit of the calling thread where that is lower.
    static int apply(int threads);

  private:
    int previous_;
};

}  // namespace vgg19::kernels
