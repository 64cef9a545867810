// How much a JPEG's scans make a decoder do.
#pragma once

#include <optional>
#include <vector>

#include "engine/image/bytes.h"

namespace vgg19 {

/// How many blocks of 8×8 coefficients a component has in one unit that scans repeat, across and down: 1
/// to 4.
struct JpegSampling {
    std::size_t across = 1;
    std::size_t down = 1;
};

/// The blocks of a picture.
class JpegBlocks {
  public:
    JpegBlocks() = default;
    JpegBlocks(const PixelSize& size, const std::vector<JpegSampling>& components);

    std::size_t in_all() const { return in_all_; }
    /// Those of a scan of these components.
    std::size_t in_scan(const std::vector<JpegSampling>& components) const;
    /// The same without those of the last row of units, which decoders fill in if they are missing.
    std::size_t needed_in_scan(const std::vector<JpegSampling>& components) const;

  private:
    /// Side by side and one below the other, in a scan of one component.
    PixelSize alone(const JpegSampling& component) const;

    PixelSize size_;
    JpegSampling most_;
    PixelSize units_;
    std::size_t in_all_ = 0;
};

/// A scan whose data are too short for its blocks.
struct JpegShortScan {
    std::size_t offset = 0;
    std::size_t data_bytes = 0;
    std::size_t blocks = 0;
};

/// What all scans of a picture have together.
struct JpegWork {
    std::size_t scans = 0;
    std::size_t blocks = 0;      ///< a block counts for each scan that visits it
    std::size_t data_bytes = 0;  ///< of entropy-coded data
    bool has_all_components = false;
    std::optional<JpegShortScan> short_scan;  ///< the first
};

/// Throws Error (bad_input) if
/// - a scan is short, or a component has no scan;
/// - the scans visit blocks far more often than any encoder makes them, and have not the data that would pay
/// for
///   it. A block takes a Huffman code of at least a bit once, so that the number of blocks is bounded by the
///   size of the file; an arithmetic code can be arbitrarily short.
void check_work(const JpegWork& work, std::size_t blocks_in_all, bool is_arithmetic);

}  // namespace vgg19
