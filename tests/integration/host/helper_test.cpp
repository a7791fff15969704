// The program beside us that asks libvirt: real processes, without libvirt.
#include "agent/host/helper.hpp"

#include <gtest/gtest.h>

#include "agent/os/child_program.hpp"
#include "tests/integration/host/client_clock.hpp"

namespace clockmend::tests {
namespace {

// A shell says what clockmend-host-libvirt would.
host::Spawn shell(const std::string& script) {
  return [script](const std::vector<std::string>&) -> core::Result<host::Child> {
    auto started = os::ChildProgram::start("/bin/sh", {"-c", script});
    if (!started) return started.error();
    const std::shared_ptr<os::ChildProgram> child = std::move(*started);
    return host::Child{child->take_output(), [child] { return child->end(); }};
  };
}

TEST(AskLibvirt, TakesTheList) {
  const auto found = host::ask_libvirt(shell("echo 'domain u1 1 1 web /run/web.sock'; echo 'domain - 0 0 no%20body '; echo listed"), {},
                                       core::seconds{20});
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(*found, (std::vector<host::Domain>{{"u1", "web", "/run/web.sock", true, true}, {"-", "no body", "", false, false}}));
}

TEST(AskLibvirt, WhatItSaysWentWrongIsTheError) {
  const auto failed = host::ask_libvirt(shell("echo 'error 6 cannot%20connect'; exit 1"), {}, core::seconds{20});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().text, "cannot connect");
  EXPECT_EQ(failed.error().code, core::ErrorCode::unavailable);
}

TEST(AskLibvirt, AMissingLibraryNamesThePackage) {
  const auto failed = host::ask_libvirt(shell("exit 127"), {}, core::seconds{20});
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().text.find("libvirt0"), std::string::npos);
}

TEST(AskLibvirt, AnEarlyEndAndNonsenseAreErrors) {
  EXPECT_FALSE(host::ask_libvirt(shell("echo 'domain u1 1 1 web /run/web.sock'; kill -9 $$"), {}, core::seconds{20}));
  EXPECT_FALSE(host::ask_libvirt(shell("echo frob; exec sleep 60"), {}, core::seconds{20}));
  EXPECT_FALSE(host::ask_libvirt(shell("head -c 300000 /dev/zero | tr '\\0' x; echo; exit 1"), {}, core::seconds{20}));
}

TEST(AskLibvirt, AHelperThatHangsIsEnded) {
  const core::nanoseconds began = ClientClock::read(CLOCK_MONOTONIC);
  const auto failed = host::ask_libvirt(shell("echo 'domain u1 1 1 web /run/web.sock'; exec sleep 300"), {}, core::milliseconds{200});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, core::ErrorCode::timeout);
  EXPECT_LT(ClientClock::read(CLOCK_MONOTONIC) - began, core::seconds{60}) << "it waited for the helper";
}

TEST(ChildProgram, ThatDoesNotExistIsAnError) {
  const auto started = os::ChildProgram::start("/nonexistent/program", {});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, core::ErrorCode::not_found);
}

}  // namespace
}  // namespace clockmend::tests
