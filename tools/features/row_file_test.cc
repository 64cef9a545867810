#include "tools/features/row_file.h"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

using namespace vgg19;
using namespace vgg19::tools;
using model::Json;
using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

namespace {

const Json settings = Json::Object{{"layers", "relu1_1"}};
const PictureFile first = {"a\xFF.jpg", 10, 1};  // no UTF-8
const PictureFile second = {"b.jpg", 20, 1'700'000'000'123'456'789};
const PictureFile third = {"c.jpg", 30, 3};

Row row_of(float value) {
    return {{{2}, {1, 1, 2}}, {value, value + 1, value + 2, value + 3}};
}

std::vector<float> values(const model::TensorStream& tensor) {
    std::vector<float> all;
    tensor.write([&all](std::span<const std::byte> bytes) {
        const std::size_t before = all.size();
        all.resize(before + bytes.size() / sizeof(float));
        std::memcpy(all.data() + before, bytes.data(), bytes.size());
    });
    return all;
}

}  // namespace

TEST_CASE("rows are there again when the file is opened anew, and are tensors in any order") {
    const TemporaryFolder folder;
    {
        RowFile file(folder / "rows", settings, false);
        CHECK(file.shapes() == nullptr);
        file.append(first, row_of(1));
        file.append(second, row_of(5));
    }
    RowFile file(folder / "rows", settings, false);
    CHECK(file.size() == 2);
    CHECK(file.contains(first));
    CHECK(file.contains(second));
    CHECK_FALSE(file.contains({first.path, first.bytes, 2}));  // changed since
    file.append(third, row_of(9));

    const model::TensorStream vectors = file.tensor("fc7", 0, {third, first, second});
    CHECK(vectors.shape == std::vector<std::size_t>{3, 2});
    CHECK(values(vectors) == std::vector<float>{9, 10, 1, 2, 5, 6});
    const model::TensorStream maps = file.tensor("relu1_1", 1, {second});
    CHECK(maps.shape == std::vector<std::size_t>{1, 1, 1, 2});
    CHECK(values(maps) == std::vector<float>{7, 8});
    file.remove();
    CHECK_FALSE(std::filesystem::exists(folder / "rows"));
}

TEST_CASE("a torn or damaged row and all after it are cut off, and the next one takes their place") {
    const TemporaryFolder folder;
    std::uintmax_t one_row = 0;
    std::uintmax_t two_rows = 0;
    {
        RowFile file(folder / "rows", settings, false);
        file.append(first, row_of(1));
        one_row = std::filesystem::file_size(folder / "rows");
        file.append(second, row_of(5));
        two_rows = std::filesystem::file_size(folder / "rows");
    }
    for (std::uintmax_t size = one_row; size < two_rows; ++size) {
        std::filesystem::copy_file(folder / "rows", folder / "torn",
                                   std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(folder / "torn", size);
        RowFile file(folder / "torn", settings, false);
        CHECK(file.size() == 1);
        file.append(third, row_of(9));
        CHECK(values(file.tensor("x", 0, {first, third})) == std::vector<float>{1, 2, 9, 10});
    }
}

TEST_CASE("lines that are no rows are cut off, whatever they say") {
    const TemporaryFolder folder;
    {
        RowFile file(folder / "good", settings, false);
        file.append(first, row_of(1));
    }
    const std::uintmax_t size = std::filesystem::file_size(folder / "good");
    for (const std::string& line :
         {std::string("{}"), std::string("[]"),
          std::string("{\"picture\":\"zz\",\"bytes\":1,\"modified\":1}"),
          std::string(R"({"picture":"61","bytes":1,"modified":1,"shapes":[[4294967296,4294967296]]})"),
          std::string(R"({"picture":"61","bytes":1,"modified":1,"shapes":[[4611686018427387904],[1]]})"),
          std::string(R"({"picture":"61","bytes":1,"modified":1,"shapes":[0]})"), std::string(70'000, '[')}) {
        CAPTURE(line);
        std::filesystem::copy_file(folder / "good", folder / "bad",
                                   std::filesystem::copy_options::overwrite_existing);
        std::ofstream(folder / "bad", std::ios::app | std::ios::binary) << line << "\n"
                                                                        << std::string(64, '\0');
        CHECK(RowFile(folder / "bad", settings, false).size() == 1);
        CHECK(std::filesystem::file_size(folder / "bad") == size);
    }
}

TEST_CASE("rows of other settings are not mixed in, nor those of a run that goes on") {
    const TemporaryFolder folder;
    const Json others = Json::Object{{"layers", "relu2_1"}};
    {
        RowFile file(folder / "rows", settings, false);
        file.append(first, row_of(1));
        CHECK(error_of(ErrorKind::usage, [&] { RowFile(folder / "rows", settings, false); }) ==
              Containing("another run is writing this file"));
    }
    CHECK(error_of(ErrorKind::usage, [&] { RowFile(folder / "rows", others, false); }) ==
          Containing("give --restart"));
    CHECK(RowFile(folder / "rows", settings, false).size() == 1);
    CHECK(RowFile(folder / "rows", others, true).size() == 0);
    CHECK(RowFile(folder / "rows", others, false).size() == 0);
}

TEST_CASE("a picture's file is known by its size and its time") {
    const TemporaryFolder folder;
    CHECK(PictureFile::of(folder / "none") == PictureFile{folder / "none"});
    RowFile(folder / "rows", settings, false);
    const PictureFile before = PictureFile::of(folder / "rows");
    CHECK(before.bytes > 0);
    CHECK(before.modified > 0);
    std::filesystem::last_write_time(folder / "rows",
                                     std::filesystem::file_time_type::clock::now() + std::chrono::seconds(1));
    CHECK(before != PictureFile::of(folder / "rows"));
}
