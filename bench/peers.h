// The figures of other engines ("peers"), from a file of a run that measured them, beside ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bench/report.h"

namespace vgg19::bench {

/// Reads the JSON list that a measuring run of the peers writes: [{"engine": "ncnn-fp32-160", "min_ms": 41.3,
/// "median_ms": 42, "ready_s": 0.7, "peak_rss_mib": 1161, "top3": "970 975 5"}, …]. Other members are
/// ignored. Throws Error (bad_input) that names the file, the engine and the member.
PeersFile read_peers(const std::filesystem::path& path);

/// What the file's engines say about these variants, which have been measured.
Peers compare_with_peers(const PeersFile& file, std::span<const VariantReport> variants);

/// What readers must know about the comparison, one or two sentences each.
std::vector<std::string> notes_on_peers(const Peers& peers);

}  // namespace vgg19::bench
