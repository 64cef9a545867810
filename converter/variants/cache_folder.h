// A folder for large files that are kept between runs.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace vgg19::converter {

/// $XDG_CACHE_HOME/vgg19/NAME, or ~/.cache/vgg19/NAME. Locks the folder for other processes during its
/// lifetime. So partial files of an interrupted run can be distinguished from those of a current one, and are
/// removed.
class CacheFolder {
  public:
    /// Creates the folder; waits while another process holds it, and reports that to `say`. Throws Error
    /// (failed).
    CacheFolder(const std::string& name, const std::function<void(const std::string& line)>& say);
    ~CacheFolder();
    CacheFolder(const CacheFolder&) = delete;
    CacheFolder& operator=(const CacheFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }

  private:
    void lock(const std::function<void(const std::string& line)>& say);
    void remove_leftovers() const;

    std::filesystem::path path_;
    int lock_ = -1;
};

}  // namespace vgg19::converter
