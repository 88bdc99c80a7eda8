// The page's words, and how numbers, times and names are written. The language is chosen once and
// kept; until then it is the browser's.
const table = {
  overview: ['Overview', '总览'], alerts: ['Alerts', '报警'], devices: ['Devices', '设备'],
  health: ['Health', '状态'], workshop: ['Rule workshop', '规则工坊'], signIn: ['Sign in', '登录'],
  signOut: ['Sign out', '退出'], name: ['Name', '用户名'], password: ['Password', '口令'],
  noAccounts: ['There is no account yet. Make one on the box: steelyard users add NAME --role ROLE --data DIR',
    '尚无账户。请在设备上执行：steelyard users add 用户名 --role 角色 --data 目录'],
  active: ['active', '进行中'], cleared: ['cleared', '已解除'], superseded: ['superseded', '已升级'],
  withdrawn: ['withdrawn', '已撤回'], notice: ['notice', '提醒'], warning: ['warning', '预警'],
  serious: ['serious', '严重'], major: ['major', '重大'], onlyActive: ['Active', '进行中'], all: ['All', '全部'],
  noAlerts: ['No alert.', '没有报警。'], noData: ['no data', '无数据'], since: ['since', '自'],
  inOrder: ['in order', '正常'], acknowledge: ['Acknowledge', '确认'], comment: ['Comment', '批注'],
  shelve: ['Shelve', '搁置'], unshelve: ['End shelf', '取消搁置'], why: ['Why', '理由'],
  minutes: ['Minutes', '分钟'], evidence: ['Evidence file', '证据文件'], severity: ['Severity', '级别'],
  rule: ['Rule', '规则'], version: ['version', '版本'], limit: ['Limit', '限值'], basis: ['Basis', '依据'],
  state: ['State', '状态'], onset: ['Onset', '起始'], raised: ['Raised', '发报'], clearedAt: ['Cleared', '解除'],
  lowest: ['Lowest', '最低'], highest: ['Highest', '最高'], readings: ['Readings', '读数'],
  premises: ['Premises', '经营场所'], place: ['Place', '部位'], device: ['Device', '设备'],
  acknowledgedBy: ['acknowledged by', '已确认：'], shelvedUntil: ['shelved until', '搁置至'],
  unanswered: ['not answered in time', '逾期未响应'], history: ['What happened', '经过'], events: ['Events', '事件'],
  proof: ['Proof', '证明'], trial: ['trial', '试运行'], lastSeen: ['Last reading', '最近读数'],
  transport: ['Transport', '接入'], pending: ['Unknown devices that knock', '待接纳的未知设备'],
  nonePending: ['None.', '无。'], adopt: ['Take one in on the box: steelyard devices adopt', '在设备上接纳：steelyard devices adopt'],
  destinations: ['Destinations', '上报去向'], connected: ['connected', '已连接'], notConnected: ['not connected', '未连接'],
  waiting: ['waiting', '待发'], refused: ['refused', '被拒'], lastError: ['Last error', '最近错误'],
  ledger: ['Ledger', '账本'], leaves: ['entries', '条记录'], certified: ['certified', '已认证'],
  uncertified: ['not certified', '未认证'], log: ['Log', '日志'], store: ['Store', '存储'], counters: ['Counters', '计数'],
  calibration: ['Calibration', '校准'], overdue: ['overdue', '已超期'], dueSoon: ['due within 30 days', '30天内到期'],
  maintenance: ['Maintenance', '维护'], configuration: ['Configuration', '配置'], fellBack: ['the file was refused; the last accepted set runs',
    '文件被拒；正在运行上一套已接受的配置'], inForce: ['in force', '生效中'], memory: ['Memory', '内存'],
  hour: ['1 h', '1小时'], day: ['24 h', '24小时'], week: ['7 d', '7天'], month: ['30 d', '30天'],
  file: ['Rule file', '规则文件'], check: ['Check', '检查'], test: ['Run scenarios', '运行情景'],
  backtest: ['Backtest', '回测'], download: ['Download for signature', '下载以供签署'],
  fine: ['No error.', '没有错误。'], passed: ['passed', '通过'], failed: ['failed', '未通过'],
  gained: ['gained', '新增'], lost: ['lost', '消失'], moved: ['moved', '变动'], same: ['same', '相同'],
  noChange: ['No alert changes.', '报警没有变化。'], working: ['Working …', '处理中……'], line: ['line', '行'],
  days: ['Days back', '回溯天数'], connectionLost: ['The box does not answer.', '设备无响应。'],
  seeAll: ['All alerts', '全部报警'], live: ['live', '实时'], stalled: ['not live', '非实时'],
  points: ['points', '测点'], openAlerts: ['active alerts', '个进行中的报警'], done: ['Done.', '已完成。'],
  language: ['中文', 'English'], mayNot: ['Your role does not show this.', '您的角色不能查看此页。'],
  assess: ['Assess this box', '评估本机'], grade: ['Grade', '等级'], pass: ['pass', '通过'], note: ['note', '提示'], weak: ['weak', '薄弱'],
  announce: ['Announce maintenance', '登记维护'], until: ['until', '至'], assessment: ['Security self-assessment', '安全自评'],
  good: ['good', '有效'], uncertain: ['uncertain', '存疑'], bad: ['bad', '无效'], times: ['Times in', '时区'],
};

export let zh = (localStorage.getItem('lang') || navigator.language || 'en').startsWith('zh');
document.documentElement.lang = zh ? 'zh-CN' : 'en';

export function turnLanguage() {
  localStorage.setItem('lang', zh ? 'en' : 'zh');
  location.reload();
}
export const w = (key) => (table[key] || [key, key])[zh ? 1 : 0];
export const both = (x) => (!x ? '' : typeof x === 'string' ? x : (zh ? x.zh || x.en : x.en || x.zh) || '');
export const wordOf = (x) => (!x ? '' : zh ? x.zh : x.id.replaceAll('-', ' '));

const locale = zh ? 'zh-CN' : 'en-GB';
const when = new Intl.DateTimeFormat(locale, {dateStyle: 'medium', timeStyle: 'medium'});
export const time = (t) => (t === null || t === undefined ? '' : when.format(new Date(t)));
const units = {degC: '°C', '%RH': '%RH'};
export const unit = (u) => units[u] || u || '';
const digits = new Intl.NumberFormat(locale, {maximumFractionDigits: 3});
export function valueText(point, value) {
  if (value === null || value === undefined) return w('noData');
  if (point && point.states) return both(point.states[value]) || String(value);
  return digits.format(value) + (point && point.unit ? ' ' + unit(point.unit) : '');
}
export function age(t) {
  const s = Math.max(0, Math.round((Date.now() - t) / 1000));
  const rel = new Intl.RelativeTimeFormat(locale, {numeric: 'always', style: 'short'});
  if (s < 120) return rel.format(-s, 'second');
  if (s < 7200) return rel.format(-Math.round(s / 60), 'minute');
  if (s < 172800) return rel.format(-Math.round(s / 3600), 'hour');
  return rel.format(-Math.round(s / 86400), 'day');
}
