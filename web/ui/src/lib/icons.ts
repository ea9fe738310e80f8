/** The catalogue names its icons; here is what they look like. */
import {
  IconAlertTriangle, IconAmbulance, IconBarrierBlock, IconBell, IconBiohazard, IconBolt, IconBuildingCommunity, IconBuildingStore, IconBulb, IconCampfire,
  IconCar, IconCarCrash, IconConfetti, IconDeviceCctv, IconDeviceMobile, IconDog, IconEye, IconFirstAidKit, IconFlame, IconFlood, IconGasStation, IconHammer,
  IconHandStop, IconHeart, IconHeartHandshake, IconHomeOff, IconLifebuoy, IconLock, IconMessage2, IconMessages, IconMotorbike, IconPhone, IconPhoneOff,
  IconRadio, IconRun, IconStorm, IconTemperature, IconTrafficLights, IconTree, IconUserSearch, IconUsers, IconVolume, IconWall, IconWorld, type Icon,
} from "@tabler/icons-react";

const TYPES: Record<string, Icon> = {
  alert: IconAlertTriangle, ambulance: IconAmbulance, barrier: IconBarrierBlock, bell: IconBell, biohazard: IconBiohazard, bolt: IconBolt,
  "building-store": IconBuildingStore, bulb: IconBulb, campfire: IconCampfire, car: IconCar, "car-crash": IconCarCrash, confetti: IconConfetti, dog: IconDog,
  eye: IconEye, "first-aid": IconFirstAidKit, flame: IconFlame, flood: IconFlood, gas: IconGasStation, hammer: IconHammer, "hand-stop": IconHandStop,
  heart: IconHeart, "heart-handshake": IconHeartHandshake, "home-off": IconHomeOff, lifebuoy: IconLifebuoy, lock: IconLock, messages: IconMessages,
  motorbike: IconMotorbike, "phone-off": IconPhoneOff, run: IconRun, storm: IconStorm, temperature: IconTemperature, "traffic-lights": IconTrafficLights,
  tree: IconTree, "user-search": IconUserSearch, users: IconUsers, volume: IconVolume, wall: IconWall,
};

const CHANNELS: Record<string, Icon> = {
  phone: IconPhone, web: IconWorld, radio: IconRadio, camera: IconDeviceCctv, panic_button: IconBell, agency: IconBuildingCommunity, app: IconDeviceMobile,
};

export const typeIcon = (name: string | undefined): Icon => TYPES[name ?? ""] ?? IconAlertTriangle;
export const channelIcon = (channel: string): Icon => CHANNELS[channel] ?? IconMessage2;
