// The folder that keeps large files between runs.
#pragma once

#include <filesystem>
#include <string>

namespace vgg19::bench {

/// $XDG_CACHE_HOME/vgg19/NAME, or ~/.cache/vgg19/NAME. While this lives, no other process has the folder:
/// files that an interrupted run left half-written can be told from those of a run that goes on, and are
/// removed.
class CacheFolder {
  public:
    /// Makes the folder; waits (and says so) while another process has it. Throws Error (failed).
    explicit CacheFolder(const std::string& name);
    ~CacheFolder();
    CacheFolder(const CacheFolder&) = delete;
    CacheFolder& operator=(const CacheFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    void lock();
    void remove_leftovers() const;

    std::filesystem::path path_;
    int lock_ = -1;
};

}  // namespace vgg19::bench
