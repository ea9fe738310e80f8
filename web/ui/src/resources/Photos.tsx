import { ActionIcon, FileButton, Button, Modal } from "@mantine/core";
import { IconCamera, IconTrash } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useAct } from "../console/useAct";
import { newId } from "../lib/api";
import { stamp } from "../lib/format";
import { t } from "../lib/i18n";
import { useSecond } from "../lib/live";
import { addPhoto, deletePhoto, photoAddress } from "../lib/resources";
import type { Photo } from "../lib/wire";

/** The photos of a thing: small ones in a row, one large when it is pressed. */
export function Photos({ subject, photos, may }: { subject: string; photos: Photo[]; may: boolean }) {
  const queries = useQueryClient();
  const now = useSecond();
  const [large, setLarge] = useState<Photo | null>(null);
  const { busy, failure, act } = useAct();
  const again = () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === "sheet" || queryKey[0] === "facility" });
  const add = (file: File | null) => {
    if (file) void act(() => addPhoto(subject, file, newId())).then(again);
  };
  return (
    <div className="photos">
      {photos.map((photo, index) => (
        <button key={photo.id} type="button" className="photo" onClick={() => setLarge(photo)}>
          <img src={photoAddress(photo.id, "small")} alt={photo.caption || t("resources.photo.nth", { n: index + 1 })} loading="lazy" />
        </button>
      ))}
      {may && (
        <FileButton onChange={add} accept="image/jpeg,image/png,image/webp">
          {(props) => (
            <Button {...props} variant="default" size="xs" loading={busy} leftSection={<IconCamera size={16} aria-hidden />}>
              {t("resources.photo.add")}
            </Button>
          )}
        </FileButton>
      )}
      {failure && (
        <p className="form-failure" role="alert">
          {failure}
        </p>
      )}
      <Modal opened={large !== null} onClose={() => setLarge(null)} size="xl" title={large?.caption || t("resources.photo.title")} closeButtonProps={{ "aria-label": t("resources.close") }}>
        {large && (
          <figure className="photo-large">
            <img src={photoAddress(large.id, "whole")} alt={large.caption || t("resources.photo.title")} />
            <figcaption>
              {t("resources.photo.by", { by: large.added_by, at: stamp(large.added_at, now) })}
              {may && (
                <ActionIcon variant="subtle" aria-label={t("resources.photo.delete")} onClick={() => void act(() => deletePhoto(large.id)).then(again).then(() => setLarge(null))}>
                  <IconTrash size={16} aria-hidden />
                </ActionIcon>
              )}
            </figcaption>
          </figure>
        )}
      </Modal>
    </div>
  );
}
