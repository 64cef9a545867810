#include "converter/variants/variants.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "converter/quantize/quantize.h"
#include "converter/variants/testing/narrow_models.h"
#include "engine/testing/environment_variable.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

std::vector<std::string> ids_of(const std::vector<Variant>& variants) {
    std::vector<std::string> ids;
    ids.reserve(variants.size());
    for (const Variant& variant : variants) ids.push_back(variant.id);
    return ids;
}

template <class Action>
std::string usage_error(const Action& action) {
    try {
        action();
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
        return error.what();
    }
    return "no error";
}

}  // namespace

TEST_CASE("every variant is derived from a baseline, and derived files are kept") {
    const testing::TemporaryFolder folder;
    const vgg19::testing::EnvironmentVariable cache("XDG_CACHE_HOME", (folder.path() / "cache").string());
    const auto weights = testing::write_narrow_model(folder.path() / "narrow.safetensors");

    const std::vector<Variant> variants = variants_of(weights, {});
    REQUIRE(ids_of(variants) == std::vector<std::string>{"baseline", "pruned", "int8", "pruned-int8",
                                                         "res160", "int8-full", "pruned-int8-full"});
    CHECK(variants[0].file == weights);
    CHECK(variants[4].file == weights);
    CHECK(variants[4].input_size == 160);
    for (const std::size_t i : {1U, 2U, 3U, 5U, 6U}) {
        CHECK(model::ModelFile::open(variants[i].file).description().variant == variants[i].id);
    }

    const auto made_at = std::filesystem::last_write_time(variants[1].file);
    CHECK(ids_of(variants_of(weights, {"pruned", "baseline"})) ==
          std::vector<std::string>{"baseline", "pruned"});
    CHECK(std::filesystem::last_write_time(variants[1].file) == made_at);
}

TEST_CASE("a damaged file in the cache is made again, and leftovers of interrupted runs are removed") {
    const testing::TemporaryFolder folder;
    const vgg19::testing::EnvironmentVariable cache("XDG_CACHE_HOME", (folder.path() / "cache").string());
    const auto weights = testing::write_narrow_model(folder.path() / "narrow.safetensors");
    const std::filesystem::path derived = variants_of(weights, {"int8"}).front().file;
    std::filesystem::resize_file(derived, std::filesystem::file_size(derived) - 1);
    const std::filesystem::path leftover = derived.parent_path() / ".vgg19-1-2.tmp";
    std::ofstream(leftover) << "half a file";

    CHECK(variants_of(weights, {"int8"}).front().file == derived);
    CHECK_NOTHROW(model::ModelFile::open(derived));
    CHECK(!std::filesystem::exists(leftover));
}

TEST_CASE("a file in the cache that holds another variant is made again") {
    const testing::TemporaryFolder folder;
    const vgg19::testing::EnvironmentVariable cache("XDG_CACHE_HOME", (folder.path() / "cache").string());
    const auto weights = testing::write_narrow_model(folder.path() / "narrow.safetensors");
    const std::filesystem::path pruned = variants_of(weights, {"pruned"}).front().file;
    std::filesystem::copy_file(weights, pruned, std::filesystem::copy_options::overwrite_existing);
    variants_of(weights, {"pruned"});
    CHECK(model::ModelFile::open(pruned).description().variant == "pruned");
}

TEST_CASE("variants are derived only from a baseline, and only those in the list") {
    const testing::TemporaryFolder folder;
    const vgg19::testing::EnvironmentVariable cache("XDG_CACHE_HOME", (folder.path() / "cache").string());
    const auto weights = testing::write_narrow_model(folder.path() / "narrow.safetensors");
    const auto int8 = folder.path() / "int8.safetensors";
    converter::quantize_dense(model::ModelFile::open(weights), int8);
    CHECK(usage_error([&] { variants_of(int8, {}); }).find("found a int8 model") != std::string::npos);
    CHECK(usage_error([&] { variants_of(weights, {"int9"}); }).find("found \"int9\"") != std::string::npos);
}

TEST_CASE("a folder's models are measured under their names") {
    const testing::TemporaryFolder folder;
    const auto baseline = testing::write_narrow_model(folder.path() / "baseline.safetensors");
    testing::write_narrow_model(folder.path() / "mine.safetensors");
    const std::vector<Variant> variants = variants_in(folder.path(), {});
    CHECK(ids_of(variants) == std::vector<std::string>{"baseline", "res160", "mine"});
    CHECK(ids_of(variants_in(folder.path(), {"mine"})) == std::vector<std::string>{"mine"});
    CHECK(usage_error([&] { variants_in(folder.path(), {"int8"}); }).find("no model for int8") !=
          std::string::npos);
    CHECK(usage_error([&] { variants_in(baseline, {}); }).find("is not a folder") != std::string::npos);

    std::filesystem::copy_file(baseline, folder.path() / "int8.safetensors");
    try {
        variants_in(folder.path(), {});
        FAIL("a baseline called int8 was taken");
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::bad_input);
        CHECK(std::string(error.what()).find("found baseline") != std::string::npos);
    }
}

}  // namespace vgg19::converter
