import { Button } from "@mantine/core";
import { IconDeviceTvOff } from "@tabler/icons-react";
import { t } from "../lib/i18n";
import { board, useBoard } from "../lib/live";
import { useMay } from "../lib/session";
import { desk } from "./desk";

/** In the top bar: the way to the walls, and how many of them are dead. */
export function WallsLost() {
  useBoard();
  const may = useMay("wall.steer");
  const lost = board.walls().filter(({ silent, revoked }) => silent && !revoked);
  if (!may || lost.length === 0) return null;
  return (
    <Button className="walls-lost" size="compact-sm" variant="default" leftSection={<IconDeviceTvOff size={16} aria-hidden />} title={lost.map(({ name }) => name).join(", ")} onClick={() => desk.setState({ sheet: "walls" })}>
      <b aria-hidden>{lost.length}</b>
      <span>{t("walls.lost", { count: lost.length })}</span>
    </Button>
  );
}
