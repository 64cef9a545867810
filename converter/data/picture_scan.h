// Pictures decoded once, to know which can be read and which are the same.
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

/// Of width, height and pixels: equal for the same picture in another file, folder or lossless format.
using PictureDigest = std::array<std::uint64_t, 2>;

struct BrokenPicture {
    std::size_t item = 0;
    std::string problem;  ///< names the file
};

struct PictureScan {
    std::vector<std::size_t> items;      ///< those that can be read, in their order
    std::vector<PictureDigest> digests;  ///< theirs
    std::vector<BrokenPicture> broken;

    /// Items that show what another before them shows.
    std::size_t duplicates() const;
};

/// Decodes each of `items` once, on that many threads (0: as many as the CPUs that this process may use).
PictureScan scan_pictures(const DataSet& data, const std::vector<std::size_t>& items, int threads = 0,
                          const model::Progress& progress = {});

/// Pictures of one data set that are in another too.
struct SharedPictures {
    std::size_t count = 0;  ///< items of `held_out`
    std::size_t training_item = 0;
    std::size_t held_out_item = 0;  ///< the first, and what it is the same as
};

/// None where the two have no picture in common. Labels do not matter.
std::optional<SharedPictures> find_shared_pictures(const PictureScan& training, const PictureScan& held_out);

/// Pictures that a data set has in more than one class.
struct ContradictingLabels {
    std::size_t count = 0;  ///< items
    std::size_t first_item = 0;
    std::size_t second_item = 0;  ///< the same picture, with another label
};

/// None where each picture has one label.
std::optional<ContradictingLabels> find_contradicting_labels(const DataSet& data, const PictureScan& scan);

/// How many pictures may be broken: a quarter. With more of them, a result would be about something else.
bool too_many_broken(std::size_t broken, std::size_t all);

/// "3 of 100 pictures cannot be read, such as photos/cat/7.jpg: …".
std::string broken_text(const std::vector<BrokenPicture>& broken, std::size_t all);

}  // namespace vgg19::converter
