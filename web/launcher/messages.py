"""Every sentence the operator reads on the terminal, in one place so that it can be translated."""

from __future__ import annotations

SPANISH: dict[str, str] = {
    # the command line
    "cli.description": "Vigía: coordinación de emergencias de una ciudad, en tiempo real.",
    "cli.epilog": (
        "Empezá con «./vigia up». Códigos de salida: 0 bien, 1 fallaron pruebas o revisiones, 2 mal escrito,\n"
        "3 no está andando, 4 anda pero no está listo, 10 falló una descarga, 11 un proceso no arrancó,\n"
        "12 a la máquina le falta algo, 13 está arrancando o deteniéndose, 130 interrumpido. Más en docs/operacion.md."
    ),
    "cli.data": "directorio de datos; otro directorio es otra instancia (por omisión: var)",
    "cli.up": "preparar todo, arrancarlo y mostrar la dirección",
    "cli.down": "detener lo que «up» arrancó",
    "cli.status": "qué está andando, desde cuándo y si responde",
    "cli.test": "preparar todo y correr las pruebas (los argumentos van a pytest)",
    "cli.check": "formato, estilo, tipos, pisos, candados y pantallas, sin ejecutar nada",
    "cli.doctor": "qué se encontró, qué falta y qué hacer",
    "cli.city": "la ciudad: traerla de datos abiertos, hacer el paquete de mapa para teléfonos",
    "cli.replay": "reproducir un registro real de despachos",
    "cli.load": "carga de usuarios simulados contra la instancia que está andando",
    "cli.bench": "mediciones con servidores propios",
    "cli.port": "puerto preferido; si está ocupado se usa el siguiente (por omisión: 8000)",
    "cli.no_demo": "sin municipio de demostración: entrega un enlace para crear la primera cuenta",
    "cli.no_simulation": "con el municipio de demostración pero sin simulador",
    "cli.detach": "volver a la terminal cuando esté listo y seguir andando de fondo",
    "cli.json": "para programas",
    "cli.port_range": "el puerto va de 1 a 65535",
    "cli.unknown": "no entiendo: {words}",
    "interrupted": "Interrumpido. La próxima vez sigue desde donde quedó.",
    # preparing
    "lock.waiting": "Otro ./vigia está preparando lo mismo; espero a que termine…",
    "data.unwritable": "No se puede escribir en {data} ({why}). Elegí otro lugar con --data DIR.",
    "sockets.stranger": "{path} existe y es de otro usuario; borralo o usá un --data DIR más corto.",
    "debian.lists": "Consultando los paquetes de la distribución",
    "debian.absent": (
        "Falta {wanted} y esta máquina no tiene apt-get para traerlo. Instalalo, o usá servidores ya "
        "existentes con VIGIA_DATABASE_URL y VIGIA_REDIS_URL."
    ),
    "debian.no_package": (
        "La distribución no ofrece {wanted}, o no se pudo consultar su lista de paquetes. Revisá la red y "
        "/etc/apt, y volvé a intentar."
    ),
    "download.failed": (
        "Falló una descarga. Revisá la red y volvé a ejecutar la misma orden: sigue desde donde quedó.\n"
        "  {why}\n  (todo el detalle en {log})"
    ),
    "unpack.failed": "No se pudo desempaquetar: {why} (¿disco lleno?; detalle en {log})",
    "pip.fetch": "Trayendo pip de la distribución",
    "pip.absent": "No hay pip ni manera de traerlo. Instalá el paquete python3-pip.",
    "wheel.fetch": "Trayendo {name}",
    "python.venv": "Creando el entorno de Python (.venv)",
    "python.venv_failed": "No se pudo crear .venv: {why} (detalle en {log})",
    "python.sync": "Instalando las bibliotecas de {lock}",
    "python.uv_failed": "uv no pudo traer las bibliotecas; pruebo con pip, que tarda más…",
    "front_end.absent": "Todavía no hay pantallas que construir (falta web/ui/package.json); sigo sin ellas.",
    "front_end.skipped": "VIGIA_SKIP_FRONT_END=1: sirvo las pantallas como quedaron, sin construirlas.",
    "front_end.packages": "Trayendo las bibliotecas de las pantallas",
    "front_end.build": "Construyendo las pantallas",
    "front_end.failed": "No se pudieron construir las pantallas:\n{why}\n  (todo el detalle en {log})",
    "chromium.fetch": "Trayendo Chromium de la distribución, para las pruebas",
    "mosquitto.fetch": "Trayendo Mosquitto de la distribución, para las pruebas",
    "gdal.fetch": "Trayendo los programas de GDAL de la distribución, para las pruebas",
    "gdal.absent": "Sin ogrinfo ni ogr2ogr: las pruebas que los usan se saltean ({why})",
    "postgres.fetch": "Trayendo PostgreSQL con PostGIS de la distribución",
    "pgrouting.fetch": "Trayendo pgRouting de la distribución, para comparar",
    "postgres.absent": "No hay PostgreSQL con PostGIS en esta máquina ni manera de traerlo.",
    "postgres.no_package": (
        "Los datos son de PostgreSQL {major} y la distribución ya no lo ofrece con PostGIS. "
        "Instalá esa versión o restaurá un respaldo (docs/operacion.md)."
    ),
    "postgres.initdb": "PostgreSQL no pudo crear sus archivos: {why} (detalle en {log})",
    "postgres.start": "PostgreSQL no arrancó:\n{why}\n  (detalle en {log})",
    "postgres.occupied": "Otro PostgreSQL (pid {pid}) sigue usando {path}. Detenelo y volvé a intentar.",
    "redis.start": "Redis no arrancó:\n{why}\n  (detalle en {log})",
    "redis.absent": "No hay Redis ni Valkey para este procesador. Instalá el paquete redis-server.",
    # up
    "up.already": "Ya está andando en {address} (pid {pid}, datos en {data}).",
    "up.already_starting": "Ya hay otro ./vigia arrancando o deteniéndose con los datos de {data}.",
    "up.postgres": "Arrancando PostgreSQL",
    "up.migrate": "Poniendo la base al día",
    "up.migrate_failed": "No se pudo poner la base al día:\n{why}\n  (detalle en {log})",
    "up.prepare": "Preparando los primeros datos",
    "up.prepare_failed": "No se pudieron preparar los primeros datos:\n{why}\n  (detalle en {log})",
    "up.waiting": "Esperando a que responda",
    "up.never_ready": "No respondió en {seconds} s. Mirá los registros en {log}.",
    "up.server_dead": "{name} no logra arrancar. Mirá {log}.",
    "up.port_taken": "El puerto {wanted} está ocupado; uso el {port}.",
    "up.no_open_data": "Sin VIGIA_OPEN_DATABASE_URL no se publican datos abiertos (docs/operacion.md).",
    "up.no_port": "No hay ningún puerto libre entre {first} y {last}. Elegí otro con --port.",
    "up.ready": "\nVigía está lista en {address}\n",
    "up.accounts": "Cuentas de demostración (usuario, clave, quién es):",
    "up.first_account": "Para crear la primera cuenta, una sola vez:\n  {link}\n  código: {code}",
    "up.detached": "\nSigue andando de fondo (datos en {data}). Para detenerla: ./vigia down{where}",
    "up.stop_hint": "\nCtrl-C la detiene. Otra terminal: ./vigia status",
    "up.stopping": "\nDeteniendo…",
    "supervisor.died": "{name} terminó ({reason}); vuelve a arrancar en {pause} s",
    "supervisor.hung": "{name} no responde desde hace {seconds} s; lo reinicio",
    "supervisor.killed": "{name} no se detuvo a tiempo; lo terminé",
    # down
    "down.nothing": "No estaba andando (datos en {data}).",
    "down.swept": "El supervisor ya no estaba; terminé lo que había dejado (datos en {data}).",
    "down.stopping": "Deteniendo",
    "down.stuck": "El proceso {pid} no termina.",
    "down.done": "Detenida",
    # status
    "status.not_running": "No está andando (datos en {data}).",
    "status.ready": "Lista en {address}",
    "status.not_ready": "Está andando pero todavía no responde en {address}",
    "status.facts": "  versión {version}, datos en {data}, desde hace {since}",
    "status.process": "  ✓ {name} pid {pid}, desde hace {since}, reinicios: {restarts}",
    "status.process_down": "  ✗ {name} detenido, reinicios: {restarts}",
    "status.database": "  base: PostgreSQL {version}, PostGIS {postgis}, {size} MB",
    "status.database_down": "  base: no responde",
    "status.database_external": "  base: la de VIGIA_DATABASE_URL",
    "status.redis": "  redis: {version}, {size} MB",
    "status.redis_down": "  redis: no responde",
    "status.redis_external": "  redis: el de VIGIA_REDIS_URL",
    # test and check
    "test.servers": "Arrancando los servidores de prueba",
    "test.front_end": "\nPruebas de las pantallas",
    "check.step": "\n— {name}",
    "check.step_passed": "  ✓ {name}",
    "check.step_failed": "  ✗ {name}",
    "check.passed": "\nTodo en orden.",
    "check.failed": "\nFalló: {names}",
    "errand.open": "Para abrirla: ./vigia up{where}",
    "errand.starting": "No está andando; la arranco para «{name}» y al final la detengo.",
    # doctor
    "doctor.title": "Vigía {version} en {root}, datos en {data}\n",
    "doctor.identity.self": "PostgreSQL corre como este usuario",
    "doctor.identity.namespace": "PostgreSQL corre en un espacio de usuarios propio",
    "doctor.identity.account": "PostgreSQL corre con la cuenta postgres o nobody, datos en /var/lib",
    "doctor.other_system": "sólo Linux se prueba; instalá PostgreSQL con PostGIS y Redis, o usá docker-compose",
    "doctor.apt": "apt-get trae lo que falte, sin instalar nada en la máquina",
    "doctor.no_apt": "no hay apt-get: instalá PostgreSQL con PostGIS por tu cuenta",
    "doctor.space": "{free} GB libres",
    "doctor.no_space": "sólo {free} GB libres; hacen falta {wanted}",
    "doctor.unwritable": "no se puede escribir en {path}",
    "doctor.external": "el de {name}",
    "doctor.origin.system": "de la máquina",
    "doctor.origin.unpacked": "paquetes de la distribución, desempaquetados",
    "doctor.origin.named": "indicado por VIGIA_POSTGRES_BIN",
    "doctor.no_gdal": "falta; sólo lo usan pruebas, que sin él se saltean",
    "doctor.venv_full": "completo, con herramientas de desarrollo",
    "doctor.venv_runtime": "completo para «up»; «test» y «check» agregan sus herramientas",
    "doctor.front_end_current": "construidas y al día",
    "doctor.cache": "{path} (se puede borrar)",
    "doctor.cache_empty": "vacía",
    "doctor.not_running": "no está andando",
    "doctor.running": "andando en {address} (pid {pid})",
    "doctor.fetchable": "falta; se trae solo cuando haga falta",
    "doctor.missing": "falta y no hay cómo traerlo: instalalo",
    "doctor.good": "\nNada impide arrancar: ./vigia up",
    "doctor.bad": "\nHay que resolver: {names}",
}


def text(key: str, **values: object) -> str:
    """The sentence, with its values filled in."""
    return SPANISH[key].format(**values)
