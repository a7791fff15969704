#include "agent/host/lifecycle.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace clockmend::host {
namespace {

using core::NoticeEvent;
using Told = std::optional<NoticeEvent>;

struct Heard {
  LifeEvent event;
  int detail;
  bool running;
  Told told;
};

constexpr int kSuspendedPaused = 0;

template <typename Detail>
int of(Detail detail) {
  return static_cast<int>(detail);
}

void tell(const char* story_name, const std::vector<Heard>& events) {
  LifeStory story;
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(story.hear(of(events[i].event), events[i].detail, events[i].running), events[i].told) << story_name << ", event " << i;
}

TEST(LifeStory, WhatLibvirtSaysAndWhatTheGuestIsTold) {
  tell("boot", {{LifeEvent::defined, 0, false, {}}, {LifeEvent::started, of(StartedDetail::booted), true, {}}});
  tell("suspend and resume", {{LifeEvent::suspended, kSuspendedPaused, false, {}},
                              {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::resumed}});
  tell("restore", {{LifeEvent::started, of(StartedDetail::restored), false, {}},
                   {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::restored},
                   {LifeEvent::suspended, kSuspendedPaused, false, {}},
                   {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::resumed}});
  tell("virsh restore, as libvirt 9 tells it", {{LifeEvent::started, of(StartedDetail::restored), false, {}},
                                                {LifeEvent::resumed, of(ResumedDetail::from_snapshot), true, NoticeEvent::restored}});
  tell("restore, heard late", {{LifeEvent::started, of(StartedDetail::restored), true, NoticeEvent::restored},
                               {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::restored}});
  tell("restored, and paused for another reason later", {{LifeEvent::started, of(StartedDetail::restored), true, NoticeEvent::restored},
                                                         {LifeEvent::suspended, kSuspendedPaused, false, {}},
                                                         {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::resumed}});
  tell("restored paused", {{LifeEvent::started, of(StartedDetail::restored), false, {}},
                           {LifeEvent::suspended, of(SuspendedDetail::restored), false, {}},
                           {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::restored}});
  tell("migrated in", {{LifeEvent::started, of(StartedDetail::migrated), false, {}},
                       {LifeEvent::resumed, of(ResumedDetail::migrated), true, NoticeEvent::migrated}});
  tell("postcopy", {{LifeEvent::started, of(StartedDetail::migrated), false, {}},
                    {LifeEvent::resumed, of(ResumedDetail::postcopy), true, NoticeEvent::migrated}});
  tell("migration failed, goes on here",
       {{LifeEvent::suspended, 1, false, {}}, {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::resumed}});
  tell("revert of a running guest", {{LifeEvent::resumed, of(ResumedDetail::from_snapshot), true, NoticeEvent::snapshot}});
  tell("revert of a stopped guest", {{LifeEvent::started, of(StartedDetail::from_snapshot), true, NoticeEvent::snapshot}});
  tell("wakeup", {{LifeEvent::pm_suspended, 0, false, {}}, {LifeEvent::started, of(StartedDetail::wakeup), true, NoticeEvent::resumed}});
  tell("stopped in between", {{LifeEvent::started, of(StartedDetail::restored), false, {}},
                              {LifeEvent::stopped, 0, false, {}},
                              {LifeEvent::started, of(StartedDetail::booted), true, {}},
                              {LifeEvent::resumed, of(ResumedDetail::unpaused), true, NoticeEvent::resumed}});
}

TEST(LifeStory, ANewerLibvirtsNumbersAreTakenForAFreeze) {
  tell("unknown details", {{LifeEvent::started, 99, true, NoticeEvent::resumed}, {LifeEvent::resumed, 99, true, NoticeEvent::resumed}});
  LifeStory story;
  for (const int event : {-1, 9, 100}) EXPECT_FALSE(story.hear(event, 0, true));
}

}  // namespace
}  // namespace clockmend::host
