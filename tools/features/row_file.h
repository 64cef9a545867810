// What a run of `vgg19 features` has computed, picture by picture, so that an interrupted one can continue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/model/json.h"
#include "engine/model/safetensors.h"

namespace vgg19::tools {

/// A picture's file. What a run has computed counts as long as it is the same.
struct PictureFile {
    std::string path;
    std::uint64_t bytes = 0;
    std::int64_t modified = 0;  ///< in nanoseconds, from any fixed time

    /// With zeros where there is no such file.
    static PictureFile of(const std::string& path);

    friend bool operator==(const PictureFile&, const PictureFile&) = default;
    friend bool operator<(const PictureFile& a, const PictureFile& b) {
        return std::tie(a.path, a.bytes, a.modified) < std::tie(b.path, b.bytes, b.modified);
    }
};

using Shapes = std::vector<std::vector<std::size_t>>;

/// One picture's results: an array for each layer.
struct Row {
    Shapes shapes;              ///< without the pictures' axis
    std::vector<float> values;  ///< of all layers, one after another
};

/// A file to which rows are appended; a torn last one, as a crash leaves it, is cut off when it is opened
/// again. One process at a time can have it open.
class RowFile {
  public:
    /// `settings` is what all rows depend on beside their picture. A file of the same settings is continued,
    /// or emptied if `restart`. Throws Error (usage) for a file of other settings, of another kind, or in use
    /// by another process; (failed) if it cannot be written.
    RowFile(std::filesystem::path path, const model::Json& settings, bool restart);

    bool contains(const PictureFile& picture) const { return places_.contains(picture); }
    std::size_t size() const { return places_.size(); }
    /// The shapes of the first row; null where there is none.
    const Shapes* shapes() const { return places_.empty() ? nullptr : &shapes_; }
    /// All rows have the same shapes. Throws Error (failed), for example if the disk is full.
    void append(const PictureFile& picture, const Row& row);

    /// A tensor (pictures, …) of layer `layer` of shapes(): a row for each of `pictures`, which all are
    /// there. Valid as long as this object, until the next append().
    model::TensorStream tensor(const std::string& name, std::size_t layer,
                               const std::vector<PictureFile>& pictures);

    /// Deletes the file, once its rows are elsewhere.
    void remove();

  private:
    /// Closes the file, and so unlocks it, also where the constructor throws.
    struct Descriptor {
        Descriptor() = default;
        ~Descriptor();
        Descriptor(const Descriptor&) = delete;
        Descriptor& operator=(const Descriptor&) = delete;
        int number = -1;
    };

    void open_file();
    void begin(const std::string& settings);
    void read_rows(std::string_view content, std::size_t offset);
    void write(std::string_view bytes);
    [[noreturn]] void fail(const char* what) const;

    std::filesystem::path path_;
    Descriptor descriptor_;
    std::uint64_t end_ = 0;
    std::map<PictureFile, std::uint64_t> places_;  ///< the offsets of the rows' values
    Shapes shapes_;
};

}  // namespace vgg19::tools
