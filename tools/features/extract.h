// Features of many pictures: reads, runs and pools them, and keeps the rows.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "engine/model/safetensors.h"
#include "tools/features/map_pool.h"
#include "tools/features/row_file.h"
#include "vgg19/image.h"
#include "vgg19/session.h"

namespace vgg19::tools {

struct ExtractOptions {
    MapPool pool = MapPool::none;
    double power = 3;  ///< of MapPool::generalized_mean
    /// Each picture at its own size; otherwise resized and cropped to the session's input size.
    bool own_sizes = false;
    std::size_t batch = 1;  ///< the most pictures of a run; fewer where they are large
    std::size_t reading_threads = 1;
    ImageOptions image{};
    std::function<bool()> should_stop{};
};

/// The most pictures of this size in one run.
std::size_t most_in_batch(const ExtractOptions& options, MapSize size);

/// A picture without features.
struct PictureProblem {
    std::size_t index = 0;
    std::string problem;  ///< names the file
};

struct Extracted {
    std::vector<PictureProblem> problems;  ///< in the order of pictures
    bool stopped = false;                  ///< should_stop returned true before the end
};

/// Computes the session's outputs for pictures[i] of each i in `indices`, and appends them to `rows`. A
/// picture that cannot be read, that is too small or large, or whose maps have another shape than those
/// before, becomes a problem, which `report` gets at once. `progress` counts the indices. Changes the
/// session's shape.
Extracted extract(Session& session, const ExtractOptions& options, const std::vector<PictureFile>& pictures,
                  const std::vector<std::size_t>& indices, RowFile& rows,
                  const std::function<void(const PictureProblem&)>& report, const model::Progress& progress);

}  // namespace vgg19::tools
