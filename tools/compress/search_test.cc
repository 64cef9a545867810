#include "tools/compress/search.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "vgg19/error.h"

using namespace vgg19;
using namespace vgg19::tools;

namespace {

/// Models whose drop follows a law, on so many images that chance plays no part; each takes a minute.
class LawfulWorkshop : public Workshop {
  public:
    double drop_of_half = 0.002;  ///< grows with the square of the reduction
    double images = 1e6;
    double of_longer_training = 0.5;  ///< what is left of the drop

    void make(Trial& trial) override {
        const double halves = trial.reduction / std::log(2.0);
        double drop = drop_of_half * halves * halves;
        int trained = 0;
        for (const Stage& stage : trial.recipe) trained = stage.command == "finetune" ? trained + 1 : trained;
        int cuts = 0;
        for (const Stage& stage : trial.recipe) cuts = stage.command == "prune" ? cuts + 1 : cuts;
        drop *= std::pow(of_longer_training, trained - cuts);
        if (!trial.size.empty()) drop += 0.004;
        const double differing = 0.01 + 0.02 * halves;
        trial.held_out = {(differing + drop) / 2 * images, (differing - drop) / 2 * images, images};
        trial.cost = {10, 100};
        for (const Stage& stage : trial.recipe) {
            for (std::size_t i = 0; i + 1 < stage.options.size(); ++i) {
                if (stage.options[i] == "--target-ms") trial.cost.ms = std::stod(stage.options[i + 1]);
                if (stage.options[i] == "--target-mb") trial.cost.mb = std::stod(stage.options[i + 1]);
            }
        }
        trial.plain_mb = trial.cost.mb;
        trial.seconds = 60;
        seconds_ += trial.seconds;
    }
    double seconds() const override { return seconds_; }
    double closing_seconds(std::size_t models) const override { return 10.0 * static_cast<double>(models); }

  private:
    double seconds_ = 0;
};

/// Of the weights, as the options say; "" for 8.
std::string bits_of(const Stage& stage) {
    const auto found = std::find(stage.options.begin(), stage.options.end(), "--weight-bits");
    return found == stage.options.end() ? "" : *(found + 1);
}

SearchSettings settings() {
    SearchSettings result;
    result.promise.max_drop = 0.01;
    result.test_images = 2000;
    result.budget_seconds = 3600;
    result.seed = "0";
    result.cost_size = "224";
    return result;
}

const Trial& deepest(const Search& search) {
    return *std::max_element(search.trials().begin(), search.trials().end(),
                             [](const Trial& a, const Trial& b) { return a.reduction < b.reduction; });
}

/// Where the drop of the law is this.
double reduction_of(double drop, double drop_of_half = 0.002) {
    return std::log(2.0) * std::sqrt(drop / drop_of_half);
}

}  // namespace

TEST_CASE("The ladder descends to where the drop is what may be lost, and learns the law") {
    LawfulWorkshop workshop;
    workshop.of_longer_training = 1;
    Search search(settings(), workshop);
    search.run();
    const Trial& last = deepest(search);
    CHECK(last.reduction == doctest::Approx(reduction_of(0.01)).epsilon(0.1));
    CHECK(recipe_text(search.trials().front().recipe) == "quantize --scope all");
    // Each rung is pruned from the one before, by what is missing.
    const Trial& second = search.trials()[2];
    const Trial& first = search.trials()[1];
    CHECK(recipe_text(second.recipe)
              .starts_with("prune --criterion activation --dense --round-to 16 --target-ms 6.065 --cost-size "
                           "224 --target-mb "
                           "36.79 | finetune --seed 0 | prune --criterion activation "));
    CHECK(second.recipe.size() == first.recipe.size() + 2);
    // What is predicted comes near what is measured.
    CHECK(std::abs(last.predicted_drop - converter::drop(last.held_out)) < 0.002);
    CHECK(search.prediction().drop(1.2) ==
          doctest::Approx(0.002 * std::pow(1.2 / std::log(2.0), 2)).epsilon(0.1));
}

TEST_CASE("A rung is added where the upper bound on the test images is expected to reach the promise") {
    LawfulWorkshop workshop;
    workshop.of_longer_training = 1;
    Search search(settings(), workshop);
    search.run();
    const double wanted = search.prediction().safe_reach(0.01, 2000);
    CHECK(wanted < reduction_of(0.01));
    CHECK(std::any_of(search.trials().begin(), search.trials().end(),
                      [wanted](const Trial& trial) { return std::abs(trial.reduction - wanted) < 0.13; }));
}

TEST_CASE("With limits the ladder ends at them, and the model there is trained for longer") {
    LawfulWorkshop workshop;
    SearchSettings limited = settings();
    limited.promise.max_ms = 6.01;
    Search search(limited, workshop);
    search.run();
    CHECK(deepest(search).cost.ms <= 6.01);
    CHECK(deepest(search).cost.ms > 5.9);
    const Trial& last = search.trials().back();
    CHECK(last.purpose == "trained for longer");
    CHECK(
        recipe_text(last.recipe).ends_with("| finetune --seed 0 | finetune --seed 0 | quantize --scope all"));
    CHECK(within_limits(limited.promise, last.cost));
}

TEST_CASE("Limits that cost too much are still approached, to say how near they are") {
    LawfulWorkshop workshop;
    SearchSettings limited = settings();
    limited.promise.max_mb = 4;  // 1.6, the half of ln 25: 1.1 points
    Search search(limited, workshop);
    search.run();
    CHECK(deepest(search).cost.mb <= 4.001);
    workshop = {};
    limited.promise.max_mb = 0.001;
    Search hopeless(limited, workshop);
    hopeless.run();
    CHECK(deepest(hopeless).reduction < reduction_of(0.045));
    CHECK(deepest(hopeless).reduction > reduction_of(0.02));
}

TEST_CASE("A drop that is larger than predicted shortens the steps") {
    LawfulWorkshop gentle;
    gentle.drop_of_half = 0.001;
    LawfulWorkshop steep;
    steep.drop_of_half = 0.01;
    Search one(settings(), gentle);
    one.run();
    Search other(settings(), steep);
    other.run();
    CHECK(one.trials()[2].reduction - one.trials()[1].reduction > 0.5);
    CHECK(other.trials()[2].reduction - other.trials()[1].reduction < 0.4);
    CHECK(deepest(other).reduction < 1);
}

TEST_CASE("No model is begun that is expected to end after the budget") {
    LawfulWorkshop workshop;
    SearchSettings hurried = settings();
    hurried.budget_seconds = 290;
    Search search(hurried, workshop);
    search.run();
    CHECK(search.trials().size() == 4);
    CHECK(workshop.seconds() + workshop.closing_seconds(search.trials().size()) <= 290);
}

TEST_CASE("Models within the promise are also judged at smaller inputs") {
    LawfulWorkshop workshop;
    SearchSettings several = settings();
    several.sizes = {"64", "48"};
    Search search(several, workshop);
    search.run();
    const auto small = std::count_if(search.trials().begin(), search.trials().end(),
                                     [](const Trial& trial) { return trial.size == "48"; });
    CHECK(small >= 3);
}

TEST_CASE("A search repeats itself") {
    std::string texts[2];
    for (std::string& text : texts) {
        LawfulWorkshop workshop;
        Search search(settings(), workshop);
        search.run([&text](const Search& now) { text += recipe_text(now.trials().back().recipe) + "\n"; });
    }
    CHECK(texts[0] == texts[1]);
}

TEST_CASE("The ladder ends where nothing more can be removed") {
    class Exhausted : public LawfulWorkshop {
      public:
        void make(Trial& trial) override {
            if (trial.reduction > 1) throw Error(ErrorKind::usage, "expected at least 0.6, found 0.5");
            LawfulWorkshop::make(trial);
        }
    };
    Exhausted workshop;
    Search search(settings(), workshop);
    search.run();
    CHECK(deepest(search).reduction <= 1);
    CHECK(deepest(search).reduction > 0.8);  // shorter steps go nearly as far as prune can
    CHECK(search.trials().back().purpose == "trained for longer");
}

TEST_CASE("A path of costs meets both limits together, or the only one, or goes on") {
    const Cost start{10, 100};
    const CostPath both({.max_ms = 5, .max_mb = 10}, start);
    CHECK(both.goal() == doctest::Approx(std::log(2.0)));
    CHECK(both.at(both.goal()).ms == doctest::Approx(5));
    CHECK(both.at(both.goal()).mb == doctest::Approx(10));
    CHECK(both.at(both.goal() / 2).mb == doctest::Approx(std::sqrt(1000.0)));

    const CostPath time({.max_ms = 5, .max_mb = 200}, start);  // which it is below already
    CHECK(time.at(time.goal()).ms == doctest::Approx(5));
    CHECK(time.at(time.goal()).mb == 0);
    const CostPath bytes({.max_mb = 10}, start);
    CHECK(bytes.at(bytes.goal()).mb == doctest::Approx(10));
    CHECK(bytes.at(bytes.goal()).ms == 0);
    CHECK(CostPath({.max_ms = 20}, start).goal() == 0);

    const CostPath open({}, start);
    CHECK(open.goal() > 5);
    CHECK(open.at(std::log(2.0)).ms == doctest::Approx(5));
    CHECK(open.at(std::log(2.0)).mb == doctest::Approx(25));
}

TEST_CASE("A cut that leaves more than it aims at is made again, a little deeper") {
    class Coarse : public LawfulWorkshop {
      public:
        void make(Trial& trial) override {
            LawfulWorkshop::make(trial);
            if (trial.reduction > 0) trial.cost.ms *= 1.02;  // widths are multiples of 16
        }
    };
    Coarse workshop;
    SearchSettings limited = settings();
    limited.promise.max_ms = 7;
    Search search(limited, workshop);
    search.run();
    CHECK(within_limits(limited.promise, deepest(search).cost));
    CHECK(deepest(search).cost.ms > 6.7);
}

TEST_CASE("Where packing gains less than expected, a further cut is for the bytes alone") {
    class Packing : public LawfulWorkshop {
      public:
        void make(Trial& trial) override {
            LawfulWorkshop::make(trial);
            trial.cost.mb *= trial.reduction == 0 ? 0.25 : 0.9;
        }
    };
    Packing workshop;
    SearchSettings limited = settings();
    limited.packs = true;
    limited.promise = {.max_drop = 0.05, .max_ms = 7, .max_mb = 10};
    Search search(limited, workshop);
    search.run();
    const Trial& last = deepest(search);
    CHECK(within_limits(limited.promise, last.cost));
    CHECK(last.cost.mb > 9.5);
    CHECK(last.cost.ms > 6.9);
    const std::string text = recipe_text(last.recipe);
    CHECK(text.rfind("--target-ms") < text.rfind("| prune"));  // the last cut has a target for bytes alone
}

TEST_CASE("Where longer training helps, the ladder goes on further down") {
    LawfulWorkshop workshop;
    workshop.of_longer_training = 1;
    Search without(settings(), workshop);
    without.run();
    LawfulWorkshop helpful;
    helpful.of_longer_training = 0.4;
    Search with(settings(), helpful);
    with.run();
    CHECK(deepest(with).reduction > deepest(without).reduction + 0.1);
}

TEST_CASE("No more models are made than are allowed, of whatever kind") {
    for (std::size_t most = 1; most < 12; ++most) {
        CAPTURE(most);
        LawfulWorkshop workshop;
        SearchSettings few = settings();
        few.packs = true;
        few.promise.max_ms = 7;
        few.most_models = most;
        Search search(few, workshop);
        search.run();
        CHECK(search.trials().size() <= most);
    }
}

TEST_CASE("Weights of fewer bits are tried on the best model of a packed front, until they cost too much") {
    class Packed : public LawfulWorkshop {
      public:
        void make(Trial& trial) override {
            LawfulWorkshop::make(trial);
            const Stage& last = trial.recipe.back();
            if (bits_of(last) == "5") trial.held_out.only_reference_right += 0.006 * images;
        }
    };
    Packed workshop;
    SearchSettings packed = settings();
    packed.packs = true;
    packed.promise.max_ms = 7;
    Search search(packed, workshop);
    search.run();
    const Trial& last = search.trials().back();
    CHECK(recipe_text(last.recipe).ends_with("quantize --scope all --pack --weight-bits 5 --rounding error"));
    CHECK(bits_of(search.trials()[search.trials().size() - 2].recipe.back()) == "6");
}
