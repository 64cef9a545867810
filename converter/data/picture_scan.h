// Decodes pictures once, to find unreadable ones and duplicates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "converter/data/data_set.h"
#include "engine/model/safetensors.h"

namespace vgg19::converter {

/// A hash of width, height and pixels: equal for the same picture in another file, folder or lossless format.
using PictureDigest = std::array<std::uint64_t, 2>;

struct BrokenPicture {
    std::size_t item = 0;
    std::string problem;  ///< names the file
};

struct PictureScan {
    std::vector<std::size_t> items;      ///< the readable ones, in order
    std::vector<PictureDigest> digests;  ///< theirs
    std::vector<BrokenPicture> broken;

    /// The number of items that repeat the picture of an earlier item.
    std::size_t duplicates() const;
};

/// Decodes each of `items` once, on `threads` threads (0: as many as this process has CPUs).
PictureScan scan_pictures(const DataSet& data, const std::vector<std::size_t>& items, int threads = 0,
                          const model::Progress& progress = {});

/// Pictures that two data sets share.
struct SharedPictures {
    std::size_t count = 0;  ///< items of `held_out`
    std::size_t training_item = 0;
    std::size_t held_out_item = 0;  ///< the first one, and the item that it equals
};

/// None if the two have no picture in common. Labels do not matter.
std::optional<SharedPictures> find_shared_pictures(const PictureScan& training, const PictureScan& held_out);

/// Pictures that occur in more than one class of a data set.
struct ContradictingLabels {
    std::size_t count = 0;  ///< items
    std::size_t first_item = 0;
    std::size_t second_item = 0;  ///< the same picture, with another label
};

/// None if each picture has a single label.
std::optional<ContradictingLabels> find_contradicting_labels(const DataSet& data, const PictureScan& scan);

/// Whether more than a quarter of the pictures are unreadable; the result would then not represent the data
/// set.
bool too_many_broken(std::size_t broken, std::size_t all);

/// Throws Error (bad_input) for too_many_broken() pictures of the data set at path `name`.
void require_few_broken(const std::vector<BrokenPicture>& broken, std::size_t all, const std::string& name);

/// "3 of 100 pictures cannot be read, such as photos/cat/7.jpg: …".
std::string broken_text(const std::vector<BrokenPicture>& broken, std::size_t all);

}  // namespace vgg19::converter
