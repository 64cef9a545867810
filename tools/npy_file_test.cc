#include "tools/npy_file.h"

#include <doctest/doctest.h>

#include <array>
#include <fstream>
#include <iterator>

#include "engine/testing/temporary_folder.h"

using namespace vgg19;
using namespace vgg19::tools;

TEST_CASE(
    "a .npy file is NumPy's magic, the header's length, a dictionary and the numbers at a multiple of 64") {
    const std::string header = npy_header({998, 512});
    CHECK(header.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
    REQUIRE(header.size() % 64 == 0);
    CHECK(static_cast<unsigned char>(header[8]) + 256U * static_cast<unsigned char>(header[9]) ==
          header.size() - 10);
    CHECK(header.substr(10).starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (998, 512), }"));
    CHECK(header.back() == '\n');
    CHECK(npy_header({3}).find("'shape': (3,), }") != std::string::npos);
    CHECK(npy_header({1, 64, 224, 224}).find("'shape': (1, 64, 224, 224), }") != std::string::npos);
}

TEST_CASE("the numbers follow the header") {
    const vgg19::testing::TemporaryFolder folder;
    const std::array<float, 6> values = {1, 2, 3, 4, 5, 6};
    const auto bytes = std::as_bytes(std::span(values));
    write_npy(folder / "a.npy", {"x", model::DType::f32, {2, 3}, [&](const model::Sink& sink) {
                                     sink(bytes.first(4));
                                     sink(bytes.subspan(4));
                                 }});
    std::ifstream stream(folder / "a.npy", std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(stream), {}};
    const std::string expected =
        npy_header({2, 3}) + std::string(reinterpret_cast<const char*>(values.data()), sizeof values);
    CHECK(content == expected);
}
