// Stores jobs under names that cannot be guessed.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "tools/serve/job.h"

namespace vgg19::server {

/// Thread-safe. Finished jobs are removed after a minute, or when there are too many.
class JobStore {
  public:
    /// Returns the job's name: 32 hexadecimal digits.
    std::string add(std::shared_ptr<Job> job);
    void remove(const std::string& name);
    /// Null if there is none.
    std::shared_ptr<Job> find(const std::string& name);
    /// Removes jobs that finished a while ago. Whether there were any.
    bool remove_old() noexcept;
    /// Removes the job that finished first, for its memory. False if none has finished.
    bool remove_oldest() noexcept;

  private:
    using Jobs = std::map<std::string, std::shared_ptr<Job>>;

    bool forget_old_ones();            // with the lock
    Jobs::iterator oldest_finished();  // with the lock; end() if there is none

    std::mutex mutex_;
    Jobs jobs_;
};

}  // namespace vgg19::server
