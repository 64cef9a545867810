// A folder for large files that are kept between runs.
#pragma once

#include <filesystem>
#include <string>

namespace vgg19::bench {

/// $XDG_CACHE_HOME/vgg19/NAME, or ~/.cache/vgg19/NAME. Locks the folder for other processes during its
/// lifetime. So partial files of an interrupted run can be distinguished from those of a current one, and are
/// removed.
class CacheFolder {
  public:
    /// Creates the folder; waits, with a message, while another process holds it. Throws Error (failed).
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
