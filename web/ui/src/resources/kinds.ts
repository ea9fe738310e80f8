/** The kinds of units, in the order in which they are offered. */
export const KINDS = ["patrol", "motorcycle", "traffic", "civil_protection", "works", "lighting", "trees", "control", "social", "zoonosis", "monitoring", "ambulance", "fire", "police"] as const;
