#include "converter/evaluate/label_map.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "engine/testing/error_of.h"
#include "engine/testing/temporary_folder.h"

namespace vgg19::converter {

namespace {

using vgg19::testing::Containing;
using vgg19::testing::error_of;
using vgg19::testing::TemporaryFolder;

constexpr std::size_t imagenet = 1000;

/// One item per class, as from class folders with these names.
class NamedClasses final : public DataSet {
  public:
    explicit NamedClasses(std::vector<std::string> names) : names_(std::move(names)) {}
    std::size_t size() const override { return names_.size(); }
    std::string name(std::size_t item) const override { return names_[item] + "/image"; }
    std::optional<std::size_t> label(std::size_t item) const override { return item; }
    std::vector<std::string> class_names() const override { return names_; }
    Image picture(std::size_t /*item*/) const override { return {{0, 0, 0}, 1, 1}; }
    void read(std::size_t /*item*/, const Preprocessing& /*preprocessing*/, MapSize /*size*/,
              std::span<float> /*nchw*/) const override {}

  private:
    std::vector<std::string> names_;
};

LabelMap map_of(const std::vector<std::string>& names, std::size_t model_classes) {
    return map_classes(NamedClasses(names), "data", model_classes).map;
}

std::string refusal_of(const std::vector<std::string>& names, std::size_t model_classes) {
    return error_of(ErrorKind::bad_input, [&] { map_of(names, model_classes); });
}

void write(const std::filesystem::path& path, const std::string& content) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
}

/// A label map for the classes cat, golden retriever and C#.
struct MapFile {
    TemporaryFolder folder;
    std::vector<std::string> names = {"C#", "cat", "golden retriever"};

    LabelMap read(const std::string& content, std::size_t model_classes = imagenet) const {
        write(folder / "map.txt", content);
        return read_label_map(folder / "map.txt", names, model_classes);
    }
    std::string refusal(const std::string& content, std::size_t model_classes = imagenet) const {
        const std::string message =
            error_of(ErrorKind::bad_input, [&] { std::ignore = read(content, model_classes); });
        CHECK(message == Containing((folder / "map.txt").string() + ": line "));
        return message;
    }
};

std::string cifar_records(const std::string& labels) {
    std::string bytes;
    for (const char label : labels) bytes += static_cast<char>(label - '0') + std::string(3072, 'x');
    return bytes;
}

}  // namespace

TEST_CASE("a label map names classes by name or position, and the model's by index or WordNet id") {
    const MapFile file;
    const LabelMap expected = {5, 281, 207};
    CHECK(file.read("cat\tn02123045\ngolden retriever 207\nC# 5\n") == expected);
    CHECK(file.read("1 281\n2 n02099601\n0 5") == expected);
    CHECK(
        file.read("# all of them\n\n  cat \t 281 # tabby\r\n\t\r\ngolden retriever\t207\t# dog\r\nC# 005") ==
        expected);
    CHECK(file.read("1 3\n0 3\n2 0\n", 4) == LabelMap{3, 3, 0});
}

TEST_CASE("a label map may have lines for classes that the data set lacks") {
    const MapFile file;
    CHECK(file.read("cat 1\ndog 2\n2 3\nC# 4\n77 5\n") == LabelMap{4, 1, 3});
}

TEST_CASE("positions are not allowed in a label map if class names are numbers") {
    MapFile file;
    file.names = {"1", "2", "x"};
    CHECK(file.read("1 10\n2 20\nx 30\n0 99\n") == LabelMap{10, 20, 30});
}

TEST_CASE("errors in a label map give file and line") {
    const MapFile file;
    CHECK(file.refusal("C# 1\ncat\n") ==
          Containing("line 2: expected a class of the data set and a class of the model, found 'cat'"));
    CHECK(file.refusal("cat 1000\n") ==
          Containing("line 1: expected a class of the model, 0 to 999 or WordNet's id such as n02123045, "
                     "found '1000'"));
    for (const char* id : {"-1", "1.0", "n00000000", "n0212304", "tabby", "99999999999999999999999"}) {
        CHECK(file.refusal("\n#\ncat " + std::string(id)) == Containing("line 3: expected a class of the"));
    }
    CHECK(file.refusal("cat n02123045\n", 10) ==
          Containing("expected a class of the model, 0 to 9, found 'n02123045'"));
    CHECK(file.refusal("cat 1\nC# 2\n1 3\n") ==
          Containing("line 3: expected one line per class, found '1' again, after line 1"));
    CHECK(file.refusal("cat 1\nC# 2\n") == Containing("none for class 2, 'golden retriever'"));
    CHECK(file.refusal("") == Containing("none for class 0, 'C#'"));
    CHECK(file.refusal(std::string(500, 'x')) ==
          Containing("found '" + std::string(40, 'x') + "…" + std::string(20, 'x') + "'"));
    CHECK(error_of(ErrorKind::bad_input, [&] {
              read_label_map(file.folder / "missing", file.names, imagenet);
          }) == Containing("missing"));
}

TEST_CASE("class folders named by WordNet id or index need no label map") {
    CHECK(map_of({"n01440764", "n02123045"}, imagenet) == LabelMap{0, 281});
    CHECK(map_of({"0281", "7", "n01443537"}, imagenet) == LabelMap{281, 7, 1});
    CHECK(map_of({"0", "1", "2"}, 10) == LabelMap{0, 1, 2});
    CHECK(refusal_of({"7", "1000"}, imagenet) == Containing("class folder '1000': expected a class of the"));
    CHECK(refusal_of({"n01440764", "n99999999"}, imagenet) == Containing("class folder 'n99999999'"));
}

TEST_CASE("otherwise classes are positions, if there are as many as the model has") {
    CHECK(map_of({"ant", "bee", "cat"}, 3) == LabelMap{0, 1, 2});
    CHECK(map_of({"12", "bee"}, 2) == LabelMap{0, 1});
    CHECK(map_of({"n01440764", "n02123045"}, 2) == LabelMap{0, 1});
    CHECK(refusal_of({"ant", "bee"}, 3) == Containing("expected 3 classes as in the model"));
    CHECK(refusal_of({"ant", "bee"}, 3) == Containing("found 2 such as 'ant': give --label-map FILE"));
}

TEST_CASE("CIFAR-10's files come with their map to ImageNet, and some classes may be missing") {
    const TemporaryFolder folder;
    write(folder / "batch.bin", cifar_records("953"));
    const auto data = open_data_set(folder / "batch.bin");
    const LabelMap expected = {404, 817, 15, 281, 352, 207, 30, 339, 510, 867};
    CHECK(map_classes(*data, "batch.bin", imagenet).map == expected);
    CHECK(map_classes(*data, "batch.bin", 10).map == LabelMap{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(error_of(ErrorKind::bad_input, [&] { map_classes(*data, "batch.bin", 100); }) ==
          Containing("batch.bin: expected 100 classes as in the model"));
    CHECK(data->class_names()[3] == "cat");

    std::string lines;
    for (const std::string& name : data->class_names()) lines += name + " 1\n";
    write(folder / "map.txt", lines);
    CHECK(map_classes(*data, "batch.bin", imagenet, {.file = folder / "map.txt"}).map == LabelMap(10, 1));
}

TEST_CASE("a data set without labels, or with an empty class folder, is refused") {
    const TemporaryFolder folder;
    const std::string pixel = "P6\n1 1\n255\nabc";
    write(folder / "flat/a.ppm", pixel);
    write(folder / "classes/ant/a.ppm", pixel);
    std::filesystem::create_directory(folder / "classes/bee");
    const auto flat = open_data_set(folder / "flat");
    CHECK(flat->class_names().empty());
    CHECK(error_of(ErrorKind::bad_input, [&] { map_classes(*flat, "photos", 2); }) ==
          Containing("photos: expected labelled images"));
    const auto classes = open_data_set(folder / "classes");
    CHECK(classes->class_names() == std::vector<std::string>{"ant", "bee"});
    CHECK(error_of(ErrorKind::bad_input, [&] { map_classes(*classes, "photos", 2); }) ==
          Containing("photos: expected images in each class folder, found none in 'bee'"));
}

}  // namespace vgg19::converter
