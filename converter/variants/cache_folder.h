// The folder that keeps large files between runs.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace vgg19::converter {

/// $XDG_CACHE_HOME/vgg19/NAME, or ~/.cache/vgg19/NAME. While this lives, no other process has the folder:
/// files that an interrupted run left half-written can be told from those of a run that goes on, and are
/// removed.
class CacheFolder {
  public:
    /// Makes the folder; waits while another process has it, and tells `say` so. Throws Error (failed).
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
