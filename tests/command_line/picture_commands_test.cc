// vgg19 features, compare and stylize: pictures in, tensors, distances and pictures out.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "engine/model/json.h"
#include "engine/model/safetensors.h"
#include "tests/command_line/tool.h"
#include "vgg19/image.h"
#include "vgg19/session.h"

using namespace vgg19;
using namespace vgg19::testing;
using model::Json;

namespace {

/// A model, and a folder of four pictures: two of one size, one wide, and one that is broken.
struct Workplace {
    TemporaryFolder folder;
    std::string model = folder / "model";
    std::string photos = folder / "photos";
    std::string out = folder / "out.safetensors";

    Workplace() {
        convert_state_dict(model);
        std::filesystem::create_directories(photos);
        write_image(photo("a.bmp"), 40, 48);
        write_image(photo("b.bmp"), 40, 48);
        write_image(photo("c.bmp"), 70, 50);
    }

    std::string photo(const std::string& name) const { return photos + "/" + name; }
    void add_broken() const { write_file(photo("broken.jpg"), "no picture"); }

    Outcome features(const Arguments& more) const {
        Arguments arguments = {"features", "-m", model, "-o", out, photos};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run_tool(arguments);
    }
};

std::vector<std::string> texts(const Json& json) {
    std::vector<std::string> result;
    for (const Json& element : json.array()) result.push_back(element.string());
    return result;
}

std::vector<std::string> names_in(const model::SafetensorsFile& file) {
    return texts(Json::parse(*model::find(file.metadata(), "pictures"), "pictures"));
}

/// What the library computes for one picture.
std::vector<float> expected(const Workplace& place, const std::string& picture, const std::string& layer,
                            MapSize size) {
    Session session(Model::open(place.model),
                    {.input_height = size.height, .input_width = size.width, .outputs = {layer}});
    std::vector<float> input(3 * size.pixels());
    session.preprocess(load_image(picture).view(), input);
    std::vector<float> values(session.outputs()[0].size());
    const std::span<float> output = values;
    session.run(input, {&output, 1});
    return values;
}

void check_near(std::span<const float> found, std::span<const float> wanted) {
    REQUIRE(found.size() == wanted.size());
    double difference = 0;
    double norm = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        difference += std::pow(static_cast<double>(found[i] - wanted[i]), 2);
        norm += std::pow(static_cast<double>(wanted[i]), 2);
    }
    CHECK(norm > 0);
    CHECK(std::sqrt(difference / norm) < 1e-5);
}

std::span<const float> row(const model::Tensor& tensor, std::size_t index) {
    const std::size_t floats = tensor.elements() / tensor.shape[0];
    return tensor.as<float>().subspan(index * floats, floats);
}

}  // namespace

TEST_CASE("features gives the library's values, a row for each picture, whatever the batch") {
    const Workplace place;
    for (const char* batch : {"1", "2", "16"}) {
        const Outcome outcome =
            place.features({"--layers", "relu2_1,fc7", "--size", "33x47", "--batch", batch});
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
        CHECK(contains(outcome.output, "relu2_1 (3, "));
        const auto file = model::SafetensorsFile::open(place.out);
        CHECK(names_in(file) ==
              std::vector<std::string>{place.photo("a.bmp"), place.photo("b.bmp"), place.photo("c.bmp")});
        for (const char* layer : {"relu2_1", "fc7"}) {
            const model::Tensor& tensor = *file.find(layer);
            CHECK(tensor.shape[0] == 3);
            check_near(row(tensor, 2), expected(place, place.photo("c.bmp"), layer, {33, 47}));
        }
    }
    CHECK_FALSE(std::filesystem::exists(place.out + ".partial"));
}

TEST_CASE("maps are pooled, also of pictures of their own sizes") {
    const Workplace place;
    REQUIRE(place.features({"--layers", "relu3_1", "--pool", "avg", "--size", "original"}).code == 0);
    const auto file = model::SafetensorsFile::open(place.out);
    const model::Tensor& tensor = *file.find("relu3_1");
    REQUIRE(tensor.shape.size() == 2);
    CHECK(tensor.shape[0] == 3);

    // The picture is not resized, so that a tool's map of it has the mean.
    const Outcome alone = run_tool({"features", "-m", place.model, "-o", place.folder / "alone.safetensors",
                                    place.photo("c.bmp"), "--layers", "relu3_1", "--size", "original"});
    REQUIRE(alone.code == 0);
    const auto map_file = model::SafetensorsFile::open(place.folder / "alone.safetensors");
    const model::Tensor& map = *map_file.find("relu3_1");
    REQUIRE(map.shape == std::vector<std::size_t>{1, tensor.shape[1], 12, 17});
    std::vector<float> means;
    for (std::size_t channel = 0; channel < map.shape[1]; ++channel) {
        double sum = 0;
        for (std::size_t i = 0; i < 12 * 17; ++i)
            sum += static_cast<double>(map.as<float>()[channel * 12 * 17 + i]);
        means.push_back(static_cast<float>(sum / (12 * 17)));
    }
    check_near(row(tensor, 2), means);
}

TEST_CASE("a bad picture is left out, counted and named") {
    const Workplace place;
    place.add_broken();
    const Outcome outcome = place.features({"--layers", "logits"});
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.errors, "left out: " + place.photo("broken.jpg")));
    CHECK(contains(outcome.errors, "1 of 4 pictures left out"));
    const auto file = model::SafetensorsFile::open(place.out);
    CHECK(names_in(file).size() == 3);
    CHECK(file.find("logits")->shape[0] == 3);

    const Outcome maps = place.features({"--layers", "relu1_1", "--size", "original"});
    CHECK(maps.code == 5);
    CHECK(contains(maps.errors, place.photo("c.bmp") + ": expected maps of 4×48×40"));
    CHECK(contains(maps.errors, "2 of 4 pictures left out"));
}

TEST_CASE("if all pictures are bad, nothing is written") {
    const Workplace place;
    write_file(place.folder / "x.jpg", "no picture");
    const Outcome outcome = run_tool({"features", "-m", place.model, "-o", place.out, place.folder / "x.jpg",
                                      place.folder / "missing.jpg", "--layers", "fc7"});
    CHECK(outcome.code == 5);
    CHECK(contains(outcome.errors, "missing.jpg"));
    CHECK(contains(outcome.errors, "none of the 2 pictures"));
    CHECK_FALSE(std::filesystem::exists(place.out));
    CHECK_FALSE(std::filesystem::exists(place.out + ".partial"));
}

TEST_CASE(".npy holds one layer, with the names beside it") {
    const Workplace place;
    const std::string npy = place.folder / "f.npy";
    const Outcome outcome =
        run_tool({"features", "-m", place.model, "-o", npy, place.photos, "--layers", "fc7"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    const std::string content = read_file(npy);
    CHECK(contains(content.substr(0, 128), "'shape': (3, 20), }"));
    CHECK(content.size() == 128 + 3 * 20 * sizeof(float));
    CHECK(texts(Json::parse(read_file(npy + ".json"), "names")).front() == place.photo("a.bmp"));
    const Outcome two =
        run_tool({"features", "-m", place.model, "-o", npy, place.photos, "--layers", "fc7,fc6"});
    CHECK(two.code == 2);
    CHECK(contains(two.errors, "a .npy file holds one array"));
}

TEST_CASE("an interrupted run is continued by the same command, and only by that") {
    const Workplace place;
    // A disk that fills up ends the run as a crash does: the rows before stay.
    for (int i = 0; i < 40; ++i) write_image(place.photo("d" + std::to_string(i) + ".bmp"), 40, 40);
    const Arguments arguments = {"features", "-m",      place.model, "-o", place.out, place.photos,
                                 "--layers", "relu1_1", "--size",    "32", "--batch", "2"};
    const Outcome interrupted = run_tool_on_small_disk(arguments, 300);
    CHECK(interrupted.code == 1);
    CHECK_FALSE(std::filesystem::exists(place.out));
    REQUIRE(std::filesystem::exists(place.out + ".partial"));

    Arguments other = arguments;
    other[7] = "relu1_2";
    const Outcome refused = run_tool(other);
    CHECK(refused.code == 2);
    CHECK(contains(refused.errors, "--restart"));

    const Outcome continued = run_tool(arguments);
    INFO(continued.errors);
    CHECK(continued.code == 0);
    CHECK(contains(continued.errors, "continuing: "));
    const std::string content = read_file(place.out);
    CHECK_FALSE(std::filesystem::exists(place.out + ".partial"));
    REQUIRE(run_tool(arguments).code == 0);
    CHECK(read_file(place.out) == content);
}

TEST_CASE("features names what is wrong with its options") {
    const Workplace place;
    const auto error_of = [&](const Arguments& more, int code = 2) {
        const Outcome outcome = place.features(more);
        CHECK(outcome.code == code);
        CHECK_FALSE(std::filesystem::exists(place.out));
        CHECK_FALSE(std::filesystem::exists(place.out + ".partial"));
        return outcome.errors;
    };
    CHECK(contains(error_of({}), "--layers: expected the names"));
    CHECK(contains(error_of({"--layers", "relu9_9"}), "relu5_4"));
    CHECK(contains(error_of({"--layers", "fc7,fc7"}), "'fc7' stands there twice"));
    CHECK(contains(error_of({"--layers", "fc7", "--pool", "max"}), "expected none, avg or gem"));
    CHECK(contains(error_of({"--layers", "fc7", "--gem-power", "2"}), "--gem-power is only for --pool gem"));
    CHECK(contains(error_of({"--layers", "fc7", "--size", "8"}), "original, or a whole number from 16"));
    CHECK(contains(error_of({"--layers", "fc7", "--list", place.folder / "none"}, 5), "cannot be opened"));
    const Outcome named = run_tool(
        {"features", "-m", place.model, "-o", place.folder / "out.txt", place.photos, "--layers", "fc7"});
    CHECK(named.code == 2);
    CHECK(contains(named.errors, ".safetensors or .npy"));
}

TEST_CASE("pictures may be named in a list") {
    const Workplace place;
    write_file(place.folder / "list", place.photo("c.bmp") + "\n" + place.photo("a.bmp") + "\n");
    const Outcome outcome = run_tool({"features", "-m", place.model, "-o", place.out, "--list",
                                      place.folder / "list", "--layers", "logits"});
    INFO(outcome.errors);
    REQUIRE(outcome.code == 0);
    CHECK(names_in(model::SafetensorsFile::open(place.out)) ==
          std::vector<std::string>{place.photo("c.bmp"), place.photo("a.bmp")});
}

TEST_CASE("compare gives 0 for equal pictures, and distances and a heat map for others") {
    const Workplace place;
    const Arguments begin = {"compare", "-m", place.model};
    const auto run = [&](Arguments more) {
        more.insert(more.begin(), begin.begin(), begin.end());
        return run_tool(more);
    };
    const Outcome same = run({place.photo("a.bmp"), place.photo("b.bmp"), "--json"});
    INFO(same.errors);
    REQUIRE(same.code == 0);
    const Json zero = Json::parse(same.output, "compare");
    CHECK(zero.find("distance")->number() == 0);
    CHECK(zero.find("psnr")->is_null());
    CHECK(zero.find("layers")->array().size() == 5);
    CHECK(zero.find("layers")->array()[2].find("layer")->string() == "relu3_4");

    const Outcome sizes = run({place.photo("a.bmp"), place.photo("c.bmp")});
    CHECK(sizes.code == 2);
    CHECK(contains(sizes.errors, "c.bmp: expected 48×40"));
    const std::string heat = place.folder / "heat.png";
    const Outcome other = run({place.photo("a.bmp"), place.photo("c.bmp"), "--size", "40x36", "--layers",
                               "relu1_1,relu2_1", "--heatmap", heat, "--json"});
    INFO(other.errors);
    REQUIRE(other.code == 0);
    const Json json = Json::parse(other.output, "compare");
    double sum = 0;
    for (const Json& layer : json.find("layers")->array()) sum += layer.find("distance")->number();
    CHECK(sum > 0);
    CHECK(json.find("distance")->number() == doctest::Approx(sum));
    CHECK(json.find("size")->string() == "40x36");
    const Image image = load_image(heat);
    CHECK(image.width == 36);
    CHECK(image.height == 40);
    CHECK(contains(
        run({place.photo("a.bmp"), place.photo("b.bmp"), "--layers", "fc7", "--heatmap", heat}).errors,
        "layers that are maps, found fc7"));
    CHECK(contains(run({place.photo("a.bmp")}).errors, "expected two pictures, found 1"));
    CHECK(contains(run({place.photo("a.bmp"), place.photo("b.bmp"), "--hottest", "1"}).errors,
                   "--hottest is only for --heatmap"));
    CHECK(contains(run({place.photo("a.bmp"), place.photo("b.bmp"), "--heatmap", "x.jpg"}).errors, ".png"));
}

TEST_CASE("stylize lowers the loss by either optimizer, and writes the picture") {
    const Workplace place;
    const std::string painted = place.folder / "painted.png";
    for (const char* optimizer : {"lbfgs", "adam"}) {
        const Outcome outcome =
            run_tool({"stylize", "-m", place.model, place.photo("a.bmp"), place.photo("c.bmp"), "-o", painted,
                      "--steps", "15", "--optimizer", optimizer, "--init", "noise", "--json",
                      "--preview-every", "4", "--tv-weight", "0.01"});
        INFO(outcome.errors);
        REQUIRE(outcome.code == 0);
        const Json json = Json::parse(outcome.output, "stylize");
        CHECK(json.find("steps")->size() == 15);
        CHECK(json.find("loss")->number() < 0.7 * json.find("first_loss")->number());
        CHECK(json.find("loss")->number() ==
              doctest::Approx(json.find("content")->number() + json.find("style")->number() +
                              json.find("variation")->number()));
        const Image image = load_image(painted);
        CHECK(image.width == 40);
        CHECK(image.height == 48);
        std::filesystem::remove(painted);
    }
}

TEST_CASE("stylize names what is wrong, before it works") {
    const Workplace place;
    const auto error_of = [&](const Arguments& more) {
        Arguments arguments = {"stylize",
                               "-m",
                               place.model,
                               place.photo("a.bmp"),
                               place.photo("c.bmp"),
                               "-o",
                               place.folder / "painted.png"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = run_tool(arguments);
        CHECK(outcome.code == 2);
        CHECK_FALSE(std::filesystem::exists(place.folder / "painted.png"));
        return outcome.errors;
    };
    CHECK(contains(error_of({"--seed", "3"}), "--seed is only for --init noise"));
    CHECK(contains(error_of({"--rate", "0.1"}), "--rate is only for --optimizer adam"));
    CHECK(contains(error_of({"--optimizer", "sgd"}), "expected lbfgs or adam, found 'sgd'"));
    CHECK(contains(error_of({"--pooling", "min"}), "expected max or average, found 'min'"));
    CHECK(contains(error_of({"--style-layers", "fc7"}), "fc7"));
    CHECK(contains(error_of({"--content-weight", "0", "--style-weight", "0"}), "expected one above 0"));
    CHECK(contains(error_of({place.photo("b.bmp")}), "expected CONTENT and STYLE, found 3"));
}

TEST_CASE("no command writes over a file that it reads") {
    const Workplace place;
    const std::string a = place.folder / "a.png";
    const std::string b = place.folder / "b.png";
    std::filesystem::copy_file(place.photo("a.bmp"), a);
    std::filesystem::copy_file(place.photo("b.bmp"), b);
    std::filesystem::copy_file(a, place.folder / "photo.npy");
    write_file(place.folder / "list.npy.json", a + "\n");
    const std::string before = read_file(a);
    const std::vector<Arguments> commands = {
        {"compare", "-m", place.model, a, b, "--heatmap", a},
        {"compare", "-m", place.model, b, a, "--heatmap", a},
        {"stylize", "-m", place.model, a, b, "-o", a, "--steps", "1"},
        {"stylize", "-m", place.model, b, a, "-o", a, "--steps", "1"},
        {"features", "-m", place.model, place.folder / "photo.npy", "--layers", "fc7", "-o",
         place.folder / "photo.npy"},
        {"features", "-m", place.model, "--list", place.folder / "list.npy.json", "--layers", "fc7", "-o",
         place.folder / "list.npy"},
    };
    for (const Arguments& command : commands) {
        const Outcome outcome = run_tool(command);
        INFO(command.front() << ": " << outcome.errors);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.errors, "expected another file to write, found the input"));
        CHECK(read_file(a) == before);
        CHECK(read_file(place.folder / "photo.npy") == before);
        CHECK(read_file(place.folder / "list.npy.json") == a + "\n");
    }
}
