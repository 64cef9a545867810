#include "converter/data/picture_scan.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "engine/model/sha256.h"
#include "kernels/common/parallel.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

constexpr std::size_t most_listed = 20;

PictureDigest digest_of(const Image& image) {
    const std::array<std::uint64_t, 2> shape = {image.width, image.height};
    model::Sha256 sha256;
    sha256.update(std::as_bytes(std::span(shape)));
    sha256.update(std::as_bytes(std::span(image.rgb)));
    const std::string hex = sha256.hex_digest();
    constexpr std::size_t digits = 16;  // in 64 bits
    PictureDigest digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const char* begin = hex.data() + i * digits;
        std::from_chars(begin, begin + digits, digest.at(i), 16);
    }
    return digest;
}

/// What a thread found out about one item.
struct Result {
    PictureDigest digest{};
    std::string problem;
};

}  // namespace

std::size_t PictureScan::duplicates() const {
    const std::set<PictureDigest> different(digests.begin(), digests.end());
    return digests.size() - different.size();
}

PictureScan scan_pictures(const DataSet& data, const std::vector<std::size_t>& items, int threads,
                          const model::Progress& progress) {
    if (threads == 0) threads = kernels::available_cpus();
    std::vector<Result> results(items.size());
    std::atomic<std::size_t> done = 0;
    kernels::parallel_workers(threads, items.size(), [&](std::size_t worker, std::size_t i) {
        try {
            results[i].digest = digest_of(data.picture(items[i]));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::bad_input) throw;  // not this picture's fault
            results[i].problem = error.what();
        }
        ++done;
        if (worker == 0 && progress) progress(done, items.size());
    });

    PictureScan scan;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (results[i].problem.empty()) {
            scan.items.push_back(items[i]);
            scan.digests.push_back(results[i].digest);
        } else {
            scan.broken.push_back({items[i], std::move(results[i].problem)});
        }
    }
    return scan;
}

std::optional<SharedPictures> find_shared_pictures(const PictureScan& training, const PictureScan& held_out) {
    std::map<PictureDigest, std::size_t> known;  // the first item with each digest
    for (std::size_t i = 0; i < training.items.size(); ++i) {
        known.emplace(training.digests[i], training.items[i]);
    }
    SharedPictures shared;
    for (std::size_t i = 0; i < held_out.items.size(); ++i) {
        const auto found = known.find(held_out.digests[i]);
        if (found == known.end()) continue;
        if (shared.count++ > 0) continue;
        shared.training_item = found->second;
        shared.held_out_item = held_out.items[i];
    }
    if (shared.count == 0) return std::nullopt;
    return shared;
}

std::optional<ContradictingLabels> find_contradicting_labels(const DataSet& data, const PictureScan& scan) {
    std::map<PictureDigest, std::vector<std::size_t>> items;
    for (std::size_t i = 0; i < scan.items.size(); ++i) items[scan.digests[i]].push_back(scan.items[i]);
    ContradictingLabels found;
    for (const auto& [digest, same] : items) {
        const std::optional<std::size_t> label = data.label(same.front());
        const auto other = std::find_if(same.begin(), same.end(),
                                        [&](std::size_t item) { return data.label(item) != label; });
        if (other == same.end()) continue;
        if (found.count == 0 || same.front() < found.first_item) {
            found.first_item = same.front();
            found.second_item = *other;
        }
        found.count += same.size();
    }
    if (found.count == 0) return std::nullopt;
    return found;
}

bool too_many_broken(std::size_t broken, std::size_t all) {
    return 4 * broken > all || broken == all;
}

void require_few_broken(const std::vector<BrokenPicture>& broken, std::size_t all, const std::string& name) {
    if (!too_many_broken(broken.size(), all)) return;
    throw Error(ErrorKind::bad_input,
                name + ": expected at most a quarter of the pictures to be broken, found that " +
                    broken_text(broken, all));
}

std::string broken_text(const std::vector<BrokenPicture>& broken, std::size_t all) {
    std::string text = std::to_string(broken.size()) + " of " + std::to_string(all) +
                       (all == 1 ? " picture cannot be read: " : " pictures cannot be read: ");
    for (std::size_t i = 0; i < std::min(broken.size(), most_listed); ++i) {
        text += (i == 0 ? "" : "; ") + broken[i].problem;
    }
    if (broken.size() > most_listed) text += "; and " + std::to_string(broken.size() - most_listed) + " more";
    return text;
}

}  // namespace vgg19::converter
