// The load generator's parts that have no socket: histogram, messages, schedule, options, proc
// files.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "load_generator/histogram.h"
#include "load_generator/message.h"
#include "load_generator/options.h"
#include "load_generator/proc_file.h"
#include "load_generator/schedule.h"
#include "load_generator/share.h"
#include "load_generator/text.h"
#include "native/check.h"

namespace io_selectors {

namespace {

RunOptions Options(int64_t rate, int64_t connections) {
  RunOptions options;
  options.rate = rate;
  options.connections = connections;
  return options;
}

/** What a line of arguments is refused for; empty if it is taken. */
std::string RefusalOf(std::vector<std::string> arguments) {
  return ParseRunOptions(arguments).error;
}

}  // namespace

TEST(HistogramKeepsThreeDigits) {
  for (int64_t ns = 0; ns < 4'000'000'000'000; ns = ns * 3 / 2 + 1) {
    Histogram histogram;
    histogram.Record(ns);
    const int64_t clamped = std::min(ns, Histogram::kLargestNs);
    const int64_t got = histogram.Quantile(1);
    CHECK(got >= clamped);
    CHECK(static_cast<double>(got - clamped) <= static_cast<double>(clamped) / 1000);
  }
}

TEST(HistogramTakesEveryValue) {
  Histogram histogram;
  CHECK_EQ(histogram.Quantile(0.5), 0);
  for (const int64_t ns : {INT64_MIN, int64_t{-1}, int64_t{0}, Histogram::kLargestNs, INT64_MAX}) {
    histogram.Record(ns);
  }
  CHECK_EQ(histogram.Count(), uint64_t{5});
  CHECK_EQ(histogram.Quantile(0), 0);
  CHECK_EQ(histogram.Quantile(0.6), 0);
  CHECK(histogram.Quantile(0.61) >= Histogram::kLargestNs);
}

TEST(HistogramQuantiles) {
  Histogram histogram;
  for (int64_t ns = 1; ns <= 1000; ++ns) histogram.Record(ns);
  CHECK_EQ(histogram.Quantile(0.5), 500);
  CHECK_EQ(histogram.Quantile(0.99), 990);
  CHECK_EQ(histogram.Quantile(1), 1000);
}

TEST(HistogramEncodesTheV2Header) {
  Histogram histogram;
  const std::string empty = histogram.EncodeBase64();
  // The cookie 0x1c849313 and a payload of no bytes.
  CHECK(empty.rfind("HISTEwAAAAA", 0) == 0);
  CHECK_EQ(empty.size() % 4, size_t{0});
  histogram.Record(1);
  histogram.Record(INT64_MAX);
  CHECK(histogram.EncodeBase64().size() > empty.size());
}

TEST(Base64OfTheRfc) {
  const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : rows) CHECK(Base64(bytes) == text);
  CHECK(Base64("\xff\xfe\xfd") == "//79");
}

TEST(MessagesAreTheSameHoweverTheyAreCut) {
  constexpr size_t kLength = 70;
  const Message message(7, 123'456);
  unsigned char whole[kLength];
  message.Fill(0, whole, kLength);
  for (size_t offset = 0; offset < kLength; ++offset) {
    CHECK_EQ(message.ByteAt(offset), whole[offset]);
    for (size_t length = 0; offset + length <= kLength; ++length) {
      // Exactly as long, so that a byte read or written too many is seen.
      std::vector<unsigned char> part(length);
      message.Fill(offset, part.data(), length);
      CHECK(length == 0 || std::memcmp(part.data(), whole + offset, length) == 0);
      CHECK_EQ(message.CountMatching(offset, part.data(), length), length);
      if (length == 0) continue;
      const size_t wrong = length / 2;
      part[wrong] = static_cast<unsigned char>(part[wrong] ^ 0x10);
      CHECK_EQ(message.CountMatching(offset, part.data(), length), wrong);
    }
  }
}

TEST(MessagesDiffer) {
  unsigned char first[8];
  unsigned char second[8];
  for (uint32_t connection = 0; connection < 50; ++connection) {
    for (uint64_t sequence = 0; sequence < 50; ++sequence) {
      Message(connection, sequence).Fill(0, first, sizeof(first));
      Message(connection, sequence + 1).Fill(0, second, sizeof(second));
      CHECK(std::memcmp(first, second, sizeof(first)) != 0);
      Message((1 << 24) - 1 - connection, (uint64_t{1} << 40) - 1 - sequence)
          .Fill(0, second, sizeof(second));
      CHECK(std::memcmp(first, second, sizeof(first)) != 0);
    }
  }
}

TEST(RandomIsUniformAndExponential) {
  Random random(1);
  Random same(1);
  int counts[7] = {};
  double sum = 0;
  for (int i = 0; i < 70'000; ++i) {
    const uint32_t drawn = random.Below(7);
    CHECK(drawn < 7);
    ++counts[drawn % 7];
    CHECK_EQ(same.Below(7), drawn);
  }
  for (const int count : counts) CHECK(count > 9'500 && count < 10'500);
  for (int i = 0; i < 70'000; ++i) {
    const double gap = random.Exponential();
    CHECK(gap >= 0 && std::isfinite(gap));
    sum += gap;
  }
  CHECK(std::abs(sum / 70'000 - 1) < 0.02);
  CHECK(Random(2).Next() != Random(3).Next());
}

TEST(ScheduleIsFixedOrPoisson) {
  RunOptions options = Options(10'000, 3);
  options.tick_us = 0;
  options.schedule = Arrivals::kFixed;
  Schedule fixed(options, ShareOf(options, 0, 1));
  for (int i = 1; i <= 100; ++i, fixed.Advance()) {
    CHECK_EQ(fixed.due_ns(), int64_t{100'000} * i);
    CHECK_EQ(fixed.target(), static_cast<uint32_t>((i - 1) % 3));
  }
  options.schedule = Arrivals::kPoisson;
  Schedule poisson(options, ShareOf(options, 0, 1));
  Schedule again(options, ShareOf(options, 0, 1));
  int64_t before = 0;
  for (int i = 0; i < 20'000; ++i, poisson.Advance(), again.Advance()) {
    CHECK(poisson.due_ns() >= before);
    CHECK(poisson.target() < 3);
    CHECK_EQ(again.due_ns(), poisson.due_ns());
    before = poisson.due_ns();
  }
  CHECK(std::abs(static_cast<double>(before) / 2e9 - 1) < 0.05);
}

TEST(FixedSchedulesOfSeveralProcessesAreEvenTogether) {
  RunOptions options = Options(10'000, 4);
  options.tick_us = 0;
  options.schedule = Arrivals::kFixed;
  std::vector<int64_t> due;
  for (uint32_t index = 0; index < 4; ++index) {
    Schedule schedule(options, ShareOf(options, index, 4));
    for (int i = 0; i < 10; ++i, schedule.Advance()) due.push_back(schedule.due_ns());
  }
  std::sort(due.begin(), due.end());
  for (size_t i = 0; i < due.size(); ++i) {
    CHECK_EQ(due[i], int64_t{100'000} * static_cast<int64_t>(i + 1));
  }
}

TEST(ScheduleShiftsAndTicks) {
  RunOptions options = Options(10'000'000, 1'000'000);
  options.tick_us = 1000;
  Schedule schedule(options, ShareOf(options, 0, 1));
  schedule.Shift(5'000'000'000);
  for (int i = 0; i < 1000; ++i) {
    schedule.Advance();
    CHECK(schedule.due_ns() >= 5'000'000'000);
    CHECK_EQ(schedule.due_ns() % 1'000'000, 0);
  }
}

TEST(SharesAddUpToTheWhole) {
  RunOptions options = Options(1'000, 1'003);
  options.in_flight = 17;
  for (uint32_t processes = 1; processes <= 9; ++processes) {
    uint32_t connections = 0;
    double rate = 0;
    int64_t in_flight = 0;
    for (uint32_t index = 0; index < processes; ++index) {
      const Share share = ShareOf(options, index, processes);
      CHECK_EQ(share.first_id, connections);
      connections += share.connections;
      rate += share.rate;
      in_flight += share.in_flight;
    }
    CHECK_EQ(connections, uint32_t{1'003});
    CHECK(std::abs(rate - 1'000) < 1e-6);
    CHECK_EQ(in_flight, 17);
  }
}

TEST(OptionsAreTakenOrRefusedByName) {
  const std::vector<std::string> good = {"--port", "1", "--rate", "10000000", "--connections", "7"};
  const ParsedOptions parsed = ParseRunOptions(good);
  CHECK(parsed.error.empty());
  CHECK_EQ(parsed.options.port, 1);
  CHECK_EQ(parsed.options.rate, 10'000'000);
  CHECK_EQ(parsed.options.connections, 7);
  CHECK(RefusalOf({}).find("--port") != std::string::npos);
  CHECK(RefusalOf({"--port", "1"}).find("--rate") != std::string::npos);
  CHECK(RefusalOf({"--port", "1", "--mode", "closed"}).find("--in-flight") != std::string::npos);
  const std::pair<const char*, const char*> wrong[] = {
      {"--port", "0"},         {"--port", "65536"},
      {"--port", ""},          {"--port", "1x"},
      {"--port", " 1"},        {"--port", "-1"},
      {"--rate", "1.5"},       {"--rate", "99999999999999999999"},
      {"--connections", "0"},  {"--seed", "-1"},
      {"--mode", "ajar"},      {"--schedule", "never"},
      {"--host", "localhost"}, {"--payload-bytes", "0"},
      {"--wibble", "1"}};
  for (const auto& [name, value] : wrong) {
    CHECK(RefusalOf({name, value}).find(name) != std::string::npos);
    CHECK(!RefusalOf({name}).empty());
  }
}

TEST(NumbersAreParsedWhole) {
  int64_t value = -1;
  CHECK(ParseNumber("9223372036854775807", 0, INT64_MAX, &value));
  CHECK_EQ(value, INT64_MAX);
  CHECK(ParseNumber("-5", -5, 5, &value));
  CHECK_EQ(value, -5);
  for (const char* wrong : {"", "-", "+1", "0x1", "1 ", "6", "9223372036854775808"}) {
    CHECK(!ParseNumber(wrong, -5, 5, &value));
  }
  CHECK_EQ(value, -5);
}

TEST(TextOfAnyLength) {
  CHECK(Format("%s", "").empty());
  CHECK(Format("%d-%s", 7, std::string(5000, 'x').c_str()) == "7-" + std::string(5000, 'x'));
}

TEST(ProcFilesAreReadAgainAndAgain) {
  CHECK_EQ(FieldAfter("a 1\t22  333\n4", 2), 22);
  CHECK_EQ(FieldAfter("1 2\n3", 2), kUnknown);
  CHECK_EQ(FieldAfter("", 0), kUnknown);
  ProcText text;
  CHECK(!ProcFile().Read(&text));
  CHECK(!ProcFile("/nowhere").Read(&text));
  const ProcFile status("/proc/self/status");
  if (!status.Read(&text)) return;  // no /proc
  CHECK(std::strstr(text.data(), "Pid:") != nullptr);
  CHECK(status.Read(&text));
  // Longer than the text holds: cut, and ended.
  const ProcFile long_one("/proc/self/maps");
  CHECK(long_one.Read(&text));
  CHECK(std::memchr(text.data(), '\0', text.size()) != nullptr);
}

}  // namespace io_selectors
