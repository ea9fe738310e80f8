/** The catalogue names its icons; here is what they look like. */
import {
  IconAlertOctagon, IconAlertTriangle, IconAmbulance, IconBarrierBlock, IconBiohazard, IconBolt, IconBomb, IconCarCrash, IconDeviceCctv,
  IconDeviceMobile, IconDog, IconFiretruck, IconFirstAidKit, IconFlame, IconFlood, IconGasStation, IconHandStop, IconHeartRateMonitor, IconHome,
  IconHomeOff, IconLifebuoy, IconLock, IconMessage2, IconMotorbike, IconPhone, IconPhoneOff, IconRadio, IconShieldHalf, IconStorm, IconTemperature,
  IconTool, IconTrafficCone, IconTrafficLights, IconTree, IconUserSearch, IconUsers, IconUsersGroup, IconVolume, IconWall, IconWorld,
  IconBuildingStore, IconRun, IconMoodSad, IconSpray, IconCar, IconWalk, IconSwimming, IconBellRinging, IconBuildingCommunity, type Icon,
} from "@tabler/icons-react";

const TYPES: Record<string, Icon> = {
  "alert-octagon": IconAlertOctagon, ambulance: IconAmbulance, "barrier-block": IconBarrierBlock, "bell-ringing": IconBellRinging, biohazard: IconBiohazard, bolt: IconBolt,
  bomb: IconBomb, "building-community": IconBuildingCommunity, "building-store": IconBuildingStore, car: IconCar, "car-crash": IconCarCrash, "device-cctv": IconDeviceCctv, dog: IconDog,
  firetruck: IconFiretruck, "first-aid-kit": IconFirstAidKit, flame: IconFlame, flood: IconFlood, "gas-station": IconGasStation,
  "hand-stop": IconHandStop, "heart-rate-monitor": IconHeartRateMonitor, home: IconHome, "home-off": IconHomeOff, lifebuoy: IconLifebuoy, lock: IconLock,
  "mood-sad": IconMoodSad, motorbike: IconMotorbike, "phone-off": IconPhoneOff, run: IconRun, "shield-half": IconShieldHalf, spray: IconSpray, storm: IconStorm,
  swimming: IconSwimming, temperature: IconTemperature, tool: IconTool, "traffic-cone": IconTrafficCone, "traffic-lights": IconTrafficLights, tree: IconTree, "user-search": IconUserSearch, users: IconUsers,
  "users-group": IconUsersGroup, volume: IconVolume, walk: IconWalk, wall: IconWall,
};

const CHANNELS: Record<string, Icon> = {
  phone: IconPhone, web: IconWorld, radio: IconRadio, camera: IconDeviceCctv, panic_button: IconBellRinging, agency: IconBuildingCommunity, app: IconDeviceMobile,
};

export const typeIcon = (name: string | undefined): Icon => TYPES[name ?? ""] ?? IconAlertTriangle;
export const channelIcon = (channel: string): Icon => CHANNELS[channel] ?? IconMessage2;
